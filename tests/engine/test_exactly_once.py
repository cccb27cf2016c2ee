"""Results, checkpoints, dead letters and offsets become visible together, or not at all."""

import asyncio
import json

import pytest

from consumer.core.policy import CommitPolicy, RetryPolicy, SessionPolicy
from consumer.errors import Fault, KafkaFailed, KafkaRefused, OwnershipLost, StreamFailed
from consumer.model import LevelChoice, Partition
from tests.engine.props import Numbers, voice
from tests.engine.stand import CALLS, CHECKPOINTS, LETTERS, RESULTS, SESSIONS, Stand, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

FIRST = Partition(CALLS, 0)
NUMBERS = Numbers(commit=CommitPolicy(interval=1), level=LevelChoice.SEGMENT)


def seen(stand: Stand, topic: str) -> list[str]:
    """Ids or places of what readers see of a topic."""
    found = []
    for record in stand.cluster.contents(Partition(topic, 0)):
        said = json.loads(record.value or b"{}") if topic != LETTERS else {}
        headers = dict(record.headers)
        found.append(said.get("id") or headers.get("dlq-offset", b"").decode())
    return found


async def whole_call(stand: Stand) -> None:
    """Speak ten seconds and hang up."""
    for _ in range(10):
        stand.speak(seconds=1)
        await asyncio.sleep(1)
    stand.hang_up()
    await stand.until_done()


def check_whole(stand: Stand) -> None:
    """Ten seconds were told of once, from start to end."""
    results = [json.loads(r.value or b"") for r in stand.cluster.contents(Partition(RESULTS, 0))]
    spans = [(result["start"], result["end"]) for result in results]
    assert spans == [(at, at + 2.0) for at in (0.0, 2.0, 4.0, 6.0, 8.0)]
    events = [json.loads(r.value or b"") for r in stand.cluster.contents(Partition(SESSIONS, 0))]
    assert [event["event"] for event in events] == ["started", "ended"]
    assert events[1]["summary"]["results"] == 5


async def test_nothing_is_seen_before_its_offset_is_committed() -> None:
    """A result that waits for the end of its transaction is not there yet for readers."""
    stand = Stand(numbers=NUMBERS, exactly_once=True)
    gate = stand.transactions.hold("commit")
    async with stand.running():
        stand.speak(seconds=4)
        await asyncio.sleep(5)
        assert seen(stand, RESULTS) == []
        assert stand.committed() == 0
        gate.set()
        await stand.until(lambda: stand.committed() == 16)
        assert len(seen(stand, RESULTS)) == 2
        stand.hang_up()
        await stand.until_done()
    assert stand.sink.sent == [], "nothing goes out beside the transactions"


async def test_a_commit_whose_answer_is_lost_doubles_nothing() -> None:
    """It was done, and only what is durable tells; the partition is taken anew from there."""
    stand = Stand(numbers=NUMBERS, exactly_once=True)
    async with stand.running():
        await stand.until(lambda: stand.transactors)
        stand.transactors[0].lost = True
        await whole_call(stand)
    check_whole(stand)
    assert stand.metrics.values["partitions_retaken"] == 1


@pytest.mark.parametrize("step", ["begin", "send", "commit"])
@pytest.mark.parametrize("failure", [KafkaFailed("timed out"), OwnershipLost("fenced")])
async def test_a_transaction_that_fails_is_done_again_from_what_is_durable(
    step: str, failure: KafkaFailed
) -> None:
    """Nothing of it was seen, so all of it is found again, and nothing is lost."""
    stand = Stand(numbers=NUMBERS, exactly_once=True)
    async with stand.running():
        await stand.until(lambda: stand.committed() or stand.metrics.values["commits"])
        stand.transactions.fail(step, failure)
        await whole_call(stand)
    check_whole(stand)
    assert stand.metrics.values["partitions_retaken"] == 1


async def test_a_replica_that_crashes_within_a_transaction_leaves_nothing_of_it() -> None:
    """The next owner shuts it out, finds what is durable and goes on from there."""
    one = Stand(numbers=NUMBERS, exactly_once=True)
    engine = asyncio.create_task(one.serve(), name="engine")
    for _ in range(5):
        one.speak(seconds=1)
        await asyncio.sleep(1)
    one.transactions.hold("commit")
    await asyncio.sleep(1.5)
    engine.cancel()
    await asyncio.wait([engine])
    two = Stand(numbers=NUMBERS, exactly_once=True, cluster=one.cluster)
    two.spoken = one.spoken
    async with two.running():
        for _ in range(5):
            two.speak(seconds=1)
            await asyncio.sleep(1)
        two.hang_up()
        await two.until_done()
    check_whole(two)


async def test_a_replica_that_slept_while_another_took_over_writes_nothing_more() -> None:
    """It is shut out from the moment on at which the new owner began."""
    one = Stand(numbers=NUMBERS, exactly_once=True)
    async with one.running(alone=False):
        one.speak(seconds=4)
        await one.until(lambda: one.committed() == 16)
        gate = one.transactions.hold("commit")
        one.speak(seconds=4)
        await asyncio.sleep(3)
        two = Stand(numbers=NUMBERS, exactly_once=True, cluster=one.cluster)
        two.spoken = one.spoken
        two.source.group.members.clear()  # the group has missed the sleeper
        async with two.running(alone=False):
            await two.until(lambda: two.committed() == 32)
            gate.set()
            await asyncio.sleep(3)
            two.speak(seconds=2)
            two.hang_up()
            await two.until_done()
            check_whole(two)
        one.source.group.members.append(one.source)


async def test_a_dead_letter_is_written_once_though_its_offset_waits() -> None:
    """A record of nobody's above an open call is known to the next owner."""
    one = Stand(lambda _: None, numbers=NUMBERS, exactly_once=True)
    async with one.running():
        one.speak(seconds=1)
        one.garble(3)
        await one.until(lambda: len(seen(one, LETTERS)) == 3)
        assert one.committed() == 0
    two = Stand(Judge(), numbers=NUMBERS, exactly_once=True, cluster=one.cluster)
    two.spoken = one.spoken
    async with two.running():
        two.speak(seconds=1)
        two.hang_up()
        await two.until_done()
    assert seen(two, LETTERS) == ["4", "5", "6"]
    assert two.metrics.values["records_skipped"] >= 3


async def test_the_letters_of_a_poisoned_call_are_written_once_though_a_crash_comes_between() -> (
    None
):
    """They are read again a few at a time; those that were written are noted one by one."""

    def refuse(stream: FakeStream) -> None:
        if stream.audio:
            stream.fail(StreamFailed(Fault.AUDIO, "INVALID_ARGUMENT", "not a voice"))

    numbers = Numbers(
        session=SessionPolicy(retry=RetryPolicy(attempts=1)),
        commit=CommitPolicy(interval=0.01),
        level=LevelChoice.SEGMENT,
    )
    one = Stand(refuse, numbers=numbers, exactly_once=True)
    one.source.limit = 5000
    engine = asyncio.create_task(one.serve(), name="engine")
    one.speak("other", 1)
    one.speak(seconds=50, chunk=0.05)
    read = one.replay.read

    async def slow(*wanted):  # type: ignore[no-untyped-def] # passes on what it was given
        await asyncio.sleep(0.1)
        return await read(*wanted)

    one.replay.read = slow  # type: ignore[method-assign] # a slow reader
    await one.until(lambda: 100 < len(seen(one, LETTERS)) < 900)
    engine.cancel()
    await asyncio.wait([engine])
    half = len(seen(one, LETTERS))
    two = Stand(refuse, numbers=numbers, exactly_once=True, cluster=one.cluster)
    async with two.running():
        two.hang_up()
        two.hang_up("other")
        await two.until_done()
    letters = seen(two, LETTERS)
    assert half < len(letters)
    assert len(letters) == len(set(letters)), "each once"


async def test_brokers_without_metadata_are_refused() -> None:
    """Nobody could tell there whether a partition had another owner meanwhile."""
    stand = Stand(numbers=NUMBERS, exactly_once=True)
    stand.source.group.keeps_claims = False
    with pytest.raises(ExceptionGroup) as caught:
        await stand.serve()
    assert caught.group_contains(KafkaRefused, match="use at_least_once")


async def test_checkpoints_are_part_of_the_transaction() -> None:
    """What a new owner would find is as old as what readers see."""
    stand = Stand(numbers=NUMBERS, exactly_once=True)
    async with stand.running():
        await stand.until(lambda: stand.committed() or stand.metrics.values["commits"])
        before = len(stand.cluster.contents(Partition(CHECKPOINTS, 0)))
        gate = stand.transactions.hold("commit")
        stand.speak(seconds=4)
        await asyncio.sleep(5)
        assert len(stand.cluster.contents(Partition(CHECKPOINTS, 0))) == before
        gate.set()
        await stand.until(lambda: stand.committed() == 16)
        assert len(stand.cluster.contents(Partition(CHECKPOINTS, 0))) > before
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 400)]


async def test_letters_of_a_call_that_waits_for_the_one_before_are_written_once() -> None:
    """It has no checkpoint yet, so its letters are noted one by one."""
    one = Stand(lambda _: None, numbers=NUMBERS, exactly_once=True)
    engine = asyncio.create_task(one.serve(), name="engine")
    await one.until(lambda: one.pipeline is not None)
    one.speak(seconds=1)
    one.hang_up()
    for number in (5, 3):
        one.speak(seconds=0.25, headers=[("sequence", b"%d" % number)])
    await one.until(lambda: seen(one, LETTERS))
    await asyncio.sleep(2)
    engine.cancel()
    await asyncio.wait([engine])
    assert one.committed() == 0
    two = Stand(Judge(), numbers=NUMBERS, exactly_once=True, cluster=one.cluster)
    async with two.running():
        two.hang_up()
        await two.until_done()
    assert seen(two, LETTERS) == ["6"]
