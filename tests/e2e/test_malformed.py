"""Bad records among good ones: each is put aside as it was, and harms nobody."""

from collections import Counter
from random import Random

import pytest
from aiokafka import ConsumerRecord
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from consumer.model import Encoding
from tests.e2e.calls import Call, readings
from tests.e2e.feeder import Feeder
from tests.e2e.malformed import Junk, junk
from tests.e2e.stage import NAMES, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

BAD = 5_000
NOISES = 60

Refused = dict[tuple[int, int], Junk]
"""By partition and offset."""


@pytest.fixture
def any_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client library write header names that are no text, by its builder in Python."""
    for user in (message_accumulator, producer):
        monkeypatch.setattr(user, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)


@pytest.mark.usefixtures("any_names")
async def test_bad_records_among_good(stage: Stage) -> None:
    """Of thousands of bad records each is in the dead letters as it was; no call misses anything.

    Among them are random bytes under keys of their own, which by the contract are audio, repeats
    of good chunks, end marks of calls that nobody knows, and header names that are no text (which
    come out with escapes).
    """
    chance = Random(20_480)
    calls = readings(6, partitions=2)
    noises = [_noise(chance, number) for number in range(NOISES)]
    consumer = await stage.start(SESSION__IDLE_TIMEOUT_SECONDS=5)
    refused: Refused = {}
    for second in range(15):
        await stage.feeder.play(calls, until=second + 1)
        await stage.feeder.play(noises[second * 4 : second * 4 + 4])
        refused |= await _spoil(stage.feeder, chance, calls, BAD // 15 + 1)
    await stage.feeder.play(calls, end=True)
    for one in stage.feeder.sent.values():
        one.ended = True
    await stage.until(lambda: len(stage.topics.letters) >= len(refused), "all dead letters")
    await stage.over()
    assert await stage.complaints(compared=calls) == []
    assert len(refused) >= BAD
    _compare(stage.topics.letters, refused)
    assert await consumer.ready() == (True, [])
    late = readings(2, partitions=2, prefix="late")
    await stage.feeder.play(late, end=True)
    await stage.over()
    assert await stage.complaints(compared=late) == []
    assert len(stage.topics.letters) == len(refused)


def _compare(letters: "list[ConsumerRecord[bytes, bytes]]", refused: Refused) -> None:
    """Each refused record has one letter, with its key, value and headers and with its origin."""
    found: Refused = {}
    for letter in letters:
        ours = {name: value.decode() for name, value in letter.headers if name.startswith("dlq-")}
        kept = [header for header in letter.headers if not header[0].startswith("dlq-")]
        assert ours["dlq-topic"] == NAMES.input
        assert ours["dlq-value"] == "original"
        assert ours["dlq-detail"]
        assert int(ours["dlq-partition"]) == letter.partition
        place = letter.partition, int(ours["dlq-offset"])
        assert place not in found, "two letters of one record"
        found[place] = Junk(letter.key, letter.value, kept, ours["dlq-reason"])
    assert Counter(bad.reason for bad in found.values()) == Counter(
        bad.reason for bad in refused.values()
    )
    for place, bad in refused.items():
        assert found[place] == bad


async def _spoil(feeder: Feeder, chance: Random, calls: list[Call], count: int) -> Refused:
    """Put bad records on both partitions, and harmless ones between; returns the bad."""
    keys = [call.key for call in calls]
    waiting = []
    for _ in range(count):
        bad = junk(chance, keys)
        partition = chance.randrange(2)
        waiting.append((bad, await feeder.put(bad.key, bad.value, bad.headers, partition)))
        if chance.random() < 0.02:
            await _repeat(feeder, chance.choice(calls))
        if chance.random() < 0.02:
            await feeder.put(f"gone-{chance.random()}".encode(), None, (), partition)
    places = [(bad, await written) for bad, written in waiting]
    return {(place.partition, place.offset): bad for bad, place in places}


async def _repeat(feeder: Feeder, call: Call) -> None:
    """The newest chunk of a call once more, as a producer that was not acknowledged in time."""
    number = feeder.sent[call.key].chunks - 1
    value, headers = call.chunk(number), call.headers(number)
    await (await feeder.put(call.key.encode(), value, headers, call.partition))


def _noise(chance: Random, number: int) -> Call:
    """A call that is nothing but random bytes, and has no end mark."""
    written = b"\x00\x01" + chance.randbytes(2 * chance.randint(20, 3_000))
    return Call(
        key=f"noise-{number}",
        partition=number % 2,
        rate=16_000,
        encoding=Encoding.PCM_S16LE,
        written=written,
        heard=written,
    )
