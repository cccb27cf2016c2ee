"""A partition's way out: nothing settles before what was published before it is acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from consumer.engine.outlet import Outlet
from consumer.engine.writers import PatientWriter
from consumer.errors import KafkaFailed, KafkaRefused, RecordTooLarge
from consumer.model import Outgoing
from tests.engine.stand import LETTERS, RESULTS, Stand, headers, settle_down, virtual_time

pytestmark = virtual_time


def record(number: int, size: int = 0) -> Outgoing:
    """A result that can be told from the others."""
    return Outgoing(RESULTS, 0, b"call", b"%d" % number + bytes(size))


class Put:
    """An outlet that runs, and what it has settled."""

    def __init__(self, stand: Stand, outlet: Outlet) -> None:
        self.stand = stand
        self.outlet = outlet
        self.settled: list[int] = []

    def put(self, *numbers: int) -> None:
        """Put records, each with a settle behind it."""
        for number in numbers:
            self.outlet.put(record(number))
            self.outlet.then(partial(self.settled.append, number))

    @property
    def values(self) -> list[bytes | None]:
        """What was acknowledged."""
        return [written.value for written in self.stand.sink.sent]


@asynccontextmanager
async def putting(stand: Stand | None = None) -> AsyncIterator[Put]:
    """An outlet at work."""
    stand = stand or Stand()
    async with stand.kitted() as kit:
        outlet = Outlet(PatientWriter(kit, "calls/0"))
        kit.spawn(outlet.run(), "outlet calls/0")
        yield Put(stand, outlet)


async def test_a_settle_waits_for_the_acknowledgement() -> None:
    """A record that is sent and not acknowledged settles nothing."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1, 2)
        await asyncio.sleep(60)
        assert len(p.stand.sink.held) == 2
        assert p.settled == []
        p.stand.sink.release()
        await settle_down()
        assert p.settled == [1, 2]


async def test_what_is_put_during_a_batch_waits_for_the_next() -> None:
    """A settle that comes while records are on their way does not overtake them."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1)
        await settle_down()
        p.outlet.then(lambda: p.settled.append(0))
        p.put(2)
        await settle_down()
        assert p.settled == []
        p.stand.sink.release()
        await settle_down()
        assert p.settled == [1, 0, 2]
        assert p.values == [b"1", b"2"]


async def test_a_settle_without_a_record_happens_at_once() -> None:
    """Nothing to publish is nothing to wait for."""
    async with putting() as p:
        p.outlet.then(lambda: p.settled.append(0))
        await settle_down()
        assert p.settled == [0]


async def test_publishing_that_fails_is_tried_again_before_anything_settles() -> None:
    """The retry comes after a pause, in order, and only then the settles happen, in order."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1, 2, 3)
        await settle_down()
        p.stand.sink.refuse(KafkaFailed("no leader"))
        p.put(4)
        await settle_down()
        assert p.settled == []
        p.stand.sink.release()
        await asyncio.sleep(60)
        assert p.values == [b"1", b"2", b"3", b"4"]
        assert p.settled == [1, 2, 3, 4]
        assert p.stand.metrics.values["publish_retries"] == 3
        assert p.stand.metrics.values["records_published"] == 4


async def test_what_follows_a_failed_record_does_not_overtake_it() -> None:
    """When handing a record over fails, those behind it are held until it is through."""
    async with putting() as p:
        p.stand.sink.script.fail("send", KafkaFailed("buffer full"), KafkaFailed("buffer full"))
        p.put(1, 2, 3)
        await asyncio.sleep(60)
        assert p.values == [b"1", b"2", b"3"]
        assert p.settled == [1, 2, 3]


async def test_a_failure_while_others_are_handed_over_holds_the_rest() -> None:
    """Only the record that is on its way just then may overtake those that have failed."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1, 2, 3, 4, 5)
        await p.stand.until_turn(lambda: len(p.stand.sink.held) == 2)
        p.stand.sink.refuse(KafkaFailed("no leader"))
        p.stand.sink.release()
        await asyncio.sleep(60)
        assert p.values == [b"3", b"1", b"2", b"4", b"5"]
        assert p.settled == [1, 2, 3, 4, 5]


async def test_settles_stay_in_order_when_only_one_record_fails() -> None:
    """The settle of a record that was acknowledged waits for the one before it."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1)
        await settle_down()
        p.stand.sink.refuse(KafkaFailed("timed out"))
        p.stand.sink.script.fail("send", KafkaFailed("again"))
        p.put(2)
        p.stand.sink.release()
        await asyncio.sleep(60)
        assert p.settled == [1, 2]


async def test_a_refusal_ends_the_engine() -> None:
    """Where trying again can't help, the engine ends with that error and settles nothing."""
    settled: list[int] = []

    async def put() -> None:
        async with putting() as p:
            p.stand.sink.script.fail("send", KafkaRefused("not authorised for results"))
            p.outlet.put(record(1))
            p.outlet.then(lambda: settled.append(1))
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await put()
    assert caught.group_contains(KafkaRefused, match="not authorised")
    assert settled == []


async def test_a_record_that_is_too_large_goes_out_without_its_value() -> None:
    """What is too large says at least where it was; its neighbours are as they were, in order."""
    async with putting() as p:
        p.put(1)
        p.outlet.put(record(2, size=2 << 20))
        p.put(3)
        await asyncio.sleep(60)
        assert p.values == [b"1", None, b"3"]
        assert p.settled == [1, 3]
        assert p.stand.log.events("error") == [
            "a record is too large for the brokers and goes out without its value"
        ]


async def test_records_that_the_brokers_find_too_large_go_out_without_their_value() -> None:
    """The brokers may say so later than the client, and then too nothing waits for ever."""
    async with putting() as p:
        p.stand.sink.hold()
        p.put(1)
        await settle_down()
        p.stand.sink.refuse(RecordTooLarge("above message.max.bytes"))
        p.stand.sink.release()
        await asyncio.sleep(60)
        assert p.values == [None]
        assert p.settled == [1]


async def test_a_letter_that_is_too_large_without_its_value_keeps_only_its_origin() -> None:
    """A key or headers that are too large do not block the partition for ever."""
    origin = (("dlq-topic", b"calls"), ("dlq-offset", b"7"))
    letter = Outgoing(LETTERS, 0, b"k" * 1000, b"v", (("huge", b"h" * 1000), *origin))
    async with putting() as p:
        p.stand.sink.script.fail("send", RecordTooLarge("value"), RecordTooLarge("headers"))
        p.outlet.put(letter)
        p.put(1)
        await asyncio.sleep(60)
        [written, _] = p.stand.sink.sent
        assert (written.key, written.value) == (None, None)
        assert headers(written) == dict(origin)
        assert p.settled == [1]


async def test_a_record_of_nothing_that_is_still_too_large_ends_the_engine() -> None:
    """Brokers that take not even that are set up wrongly, and waiting would not change it."""

    async def put() -> None:
        async with putting() as p:
            p.stand.sink.script.fail("send", *(RecordTooLarge("too large") for _ in range(9)))
            p.put(1)
            await asyncio.sleep(600)

    with pytest.raises(ExceptionGroup) as caught:
        await put()
    assert caught.group_contains(KafkaRefused, match="too large")


async def test_those_who_can_wait_have_to_while_too_much_waits() -> None:
    """Above the mark there is no room, until what waits has been published."""
    async with putting() as p:
        p.stand.sink.hold()
        for number in range(5):
            p.outlet.put(record(number, size=1 << 20))
        assert p.outlet.full
        waiting = asyncio.create_task(p.outlet.room())
        await asyncio.sleep(60)
        assert not waiting.done()
        p.stand.sink.release()
        await waiting
        assert not p.outlet.full
        assert p.outlet.size == 0


async def test_flushed_means_that_nothing_waits_or_is_on_its_way() -> None:
    """Flushing ends only after the last acknowledgement and its settle."""
    async with putting() as p:
        await p.outlet.flushed()
        p.stand.sink.hold()
        p.put(1)
        flushed = asyncio.create_task(p.outlet.flushed())
        await asyncio.sleep(60)
        assert not flushed.done()
        p.stand.sink.release()
        await flushed
        assert p.settled == [1]
