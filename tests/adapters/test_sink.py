"""What a sink promises; the same in memory and on a broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumer.errors import KafkaRefused, LocalProtocolError, RecordTooLarge
from consumer.model import Outgoing, Partition
from consumer.ports import Sink
from tests.adapters.worlds import LARGEST_RECORD_BYTES, World


@asynccontextmanager
async def started(world: World) -> AsyncIterator[Sink]:
    """A sink that is connected."""
    sink = world.sink()
    await sink.start()
    try:
        yield sink
    finally:
        await sink.stop()


def outgoing(place: Partition, value: bytes | None, key: bytes | None = b"call") -> Outgoing:
    """A record for a partition."""
    return Outgoing(place.topic, place.number, key, value)


async def test_writes_records_as_they_are(world: World) -> None:
    """Topic, partition, key, value and headers arrive as they were sent."""
    partitions = await world.topic(partitions=3)
    headers = (("origin-offset", b"7"), ("meta-a", b"\xff"), ("meta-a", b""))
    async with started(world) as sink:
        topic, number = partitions[2]
        await (await sink.send(Outgoing(topic, number, b"call", b"{}", headers)))
    [record] = await world.contents(partitions[2])
    assert (record.key, record.value, record.headers) == (b"call", b"{}", headers)
    assert not await world.contents(partitions[0])


async def test_keeps_the_order_of_a_partition(world: World) -> None:
    """Records of a partition lie in the order in which they were handed over."""
    [partition] = await world.topic()
    async with started(world) as sink:
        sent = [await sink.send(outgoing(partition, b"%d" % n)) for n in range(300)]
        await asyncio.gather(*sent)
    assert [r.value for r in await world.contents(partition)] == [b"%d" % n for n in range(300)]


async def test_chooses_one_partition_per_key(world: World) -> None:
    """Without a partition the key decides, always in the same way."""
    partitions = await world.topic(partitions=4)
    async with started(world) as sink:
        for key in (b"a", b"b", b"a", b"b", b"a"):
            await (await sink.send(Outgoing(partitions[0].topic, None, key, b"{}")))
    homes: dict[bytes | None, set[Partition]] = {b"a": set(), b"b": set()}
    for partition in partitions:
        for record in await world.contents(partition):
            homes[record.key].add(partition)
    assert [len(places) for places in homes.values()] == [1, 1]


async def test_writes_tombstones(world: World) -> None:
    """A null value stays null, even where the key is null too, as a dead letter's may be."""
    [partition] = await world.topic()
    async with started(world) as sink:
        await (await sink.send(outgoing(partition, None)))
        await (await sink.send(outgoing(partition, None, None)))
    contents = await world.contents(partition)
    assert [(r.key, r.value) for r in contents] == [(b"call", None), (None, None)]


async def test_refuses_a_record_that_is_too_large(world: World) -> None:
    """One record above the limit fails by its future, and the next one passes."""
    [partition] = await world.topic()
    async with started(world) as sink:
        large = await sink.send(outgoing(partition, bytes(LARGEST_RECORD_BYTES + 1)))
        small = await sink.send(outgoing(partition, b"{}"))
        with pytest.raises(RecordTooLarge):
            await large
        await small
    assert len(await world.contents(partition)) == 1


async def test_refuses_a_partition_that_is_not_there(world: World) -> None:
    """A partition beyond the topic's is refused by name."""
    [partition] = await world.topic()
    async with started(world) as sink:
        stray = await sink.send(outgoing(Partition(partition.topic, 5), b"{}"))
        with pytest.raises(KafkaRefused, match=f"{partition.topic} has no partition 5"):
            await stray


async def test_flushes_when_it_stops(world: World) -> None:
    """What was handed over before the stop is written."""
    [partition] = await world.topic()
    async with started(world) as sink:
        sent = [await sink.send(outgoing(partition, b"{}")) for _ in range(20)]
    await asyncio.gather(*sent)
    assert len(await world.contents(partition)) == 20


async def test_writes_only_between_start_and_stop(world: World) -> None:
    """A sink that was not started, or is stopped, says so; stopping twice does no harm."""
    [partition] = await world.topic()
    sink = world.sink()
    with pytest.raises(LocalProtocolError):
        await sink.send(outgoing(partition, b"{}"))
    await sink.start()
    await sink.stop()
    await sink.stop()
    with pytest.raises(LocalProtocolError):
        await sink.send(outgoing(partition, b"{}"))
