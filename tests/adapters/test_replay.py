"""What the second reader promises; the same in memory and on a broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from consumer.errors import LocalProtocolError
from consumer.model import Offset
from consumer.ports import Replay
from tests.adapters.worlds import World


@pytest_asyncio.fixture
async def replay(world: World) -> AsyncIterator[Replay]:
    """A reader that is stopped in the end."""
    reader = world.replay()
    yield reader
    await reader.stop()


def offsets(*numbers: int) -> list[Offset]:
    """Offsets from plain numbers."""
    return [Offset(number) for number in numbers]


async def test_reads_exactly_what_is_asked_for(world: World, replay: Replay) -> None:
    """Of all records only those asked for come back, whole, and as often as they are asked for."""
    [partition] = await world.topic()
    for number in range(1500):
        await world.put(partition, b"%d" % number, b"k%d" % (number % 3), [("h", b"%d" % number)])
    for _ in range(2):
        found = await replay.read(partition, offsets(3, 4, 700, 1499))
        assert list(found) == [3, 4, 700, 1499]
        for offset, record in found.items():
            assert record is not None
            assert (record.partition, record.offset) == (partition, offset)
            assert (record.key, record.value) == (b"k%d" % (offset % 3), b"%d" % offset)
            assert record.headers == (("h", b"%d" % offset),)


async def test_serves_many_at_once(world: World, replay: Replay) -> None:
    """Readers of several partitions, and of the same offsets, all get their own."""
    partitions = await world.topic(partitions=2)
    for partition in partitions:
        for number in range(50):
            await world.put(partition, b"%d/%d" % (partition.number, number))
    asked = [(p, offsets(*range(n, 50, 7))) for p in partitions for n in range(7)]
    found = await asyncio.gather(*(replay.read(p, o) for p, o in asked))
    for (partition, wanted), records in zip(asked, found, strict=True):
        values = [r.value for r in records.values() if r is not None]
        assert values == [b"%d/%d" % (partition.number, o) for o in wanted]


async def test_knows_what_is_not_there(world: World, replay: Replay) -> None:
    """Offsets beyond the end come back as None beside those that exist."""
    [partition] = await world.topic()
    await world.put(partition, b"a")
    found = await replay.read(partition, offsets(0, 1, 9))
    assert [r and r.value for r in found.values()] == [b"a", None, None]


async def test_reads_nothing_when_nothing_is_asked(world: World, replay: Replay) -> None:
    """No offsets, no records, no waiting."""
    [partition] = await world.topic()
    assert await replay.read(partition, []) == {}


async def test_gives_up_one_reading_and_not_the_others(world: World, replay: Replay) -> None:
    """A reading that is cancelled leaves the others whole."""
    [partition] = await world.topic()
    await world.put(partition, b"a")
    first = asyncio.create_task(replay.read(partition, offsets(0)))
    second = asyncio.create_task(replay.read(partition, offsets(0)))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    [record] = (await second).values()
    assert record is not None
    assert record.value == b"a"


async def test_reads_nothing_after_stop(world: World, replay: Replay) -> None:
    """A stopped reader says so; stopping twice does no harm."""
    [partition] = await world.topic()
    await replay.stop()
    await replay.stop()
    with pytest.raises(LocalProtocolError):
        await replay.read(partition, offsets(0))
