"""What the reader of the checkpoint topic promises; the same in memory and on brokers."""

import asyncio
from collections.abc import Sequence

import pytest

from consumer.adapters.kafka.checkpoints import KafkaCheckpoints
from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.core.claim import Standing
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Offset, Outgoing, Partition, Record
from consumer.ports import Transactor
from tests.adapters.broker import free_port
from tests.adapters.worlds import BrokerWorld, FakeWorld, World, broker_world
from tests.kafka.cluster import Cluster


def said(records: Sequence[Record]) -> list[tuple[bytes | None, bytes | None]]:
    """Keys and values."""
    return [(record.key, record.value) for record in records]


async def test_reads_the_newest_of_every_key(world: World) -> None:
    """Older words of a key are passed over; the order is that of the newest; tombstones count."""
    partitions = await world.topic(partitions=2)
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"c", b"1"), (b"a", b"2"), (b"b", None)):
        await world.put(partitions[1], value, key)
    await world.put(partitions[0], b"other", b"a")
    found = await world.checkpoints(partitions[0].topic).read(1)
    assert said(found) == [(b"c", b"1"), (b"a", b"2"), (b"b", None)]
    assert [(r.partition, r.offset) for r in found] == [(partitions[1], n) for n in (2, 3, 4)]


async def test_an_empty_partition_holds_nothing(world: World) -> None:
    """A partition that nobody has owned is read at once."""
    [partition] = await world.topic()
    assert not await world.checkpoints(partition.topic).read(0)


async def test_reads_many_partitions_at_once(world: World) -> None:
    """A new owner of many partitions gets each one's own."""
    partitions = await world.topic(partitions=8)
    for partition in partitions:
        await world.put(partition, b"%d" % partition.number, b"1")
    reader = world.checkpoints(partitions[0].topic)
    found = await asyncio.gather(*(reader.read(n) for n in range(8)))
    assert [said(each) for each in found] == [[(b"1", b"%d" % n)] for n in range(8)]


async def test_a_partition_that_is_not_there_is_refused(world: World) -> None:
    """Nobody looks for it until it comes: the input has more partitions than the topic."""
    [partition] = await world.topic()
    with pytest.raises(KafkaRefused, match=f"{partition.topic} has no partition 1"):
        async with asyncio.timeout(5):
            await world.checkpoints(partition.topic).read(1)


@pytest.mark.parametrize("kind", ["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def test_reads_what_was_committed_and_only_that(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """To the end of finished transactions: past markers at the end, and nothing of aborted ones."""
    if kind == "memory":
        await check_transactions(FakeWorld())
        return
    kafka: Cluster = request.getfixturevalue("apache_kafka")
    async with broker_world(kafka) as real:
        await check_transactions(real)


async def check_transactions(world: World) -> None:
    """One owner commits and leaves a transaction open; the next one starts and reads."""
    [source], [place] = await world.topic(), await world.topic()
    old, new = (world.transactor(source, "owners") for _ in range(2))
    await old.start()
    try:
        await _say(old, place, b"committed")
        await old.commit(Standing(Offset(1)))
        await _say(old, place, b"open")
        await new.start()
        found = await world.checkpoints(place.topic).read(0)
        assert said(found) == [(b"1:call", b"committed")]
    finally:
        await old.stop()
        await new.stop()


async def _say(writer: Transactor, place: Partition, value: bytes) -> None:
    await writer.begin()
    await (await writer.send(Outgoing(place.topic, place.number, b"1:call", value)))


async def test_gives_up_in_time(real_world: BrokerWorld) -> None:
    """A partition that is not there, or that can't be read in time, fails the reading in time."""
    [partition] = await real_world.topic()
    await real_world.put(partition, b"1", b"a")
    reader = KafkaCheckpoints(real_world.kafka, partition.topic, ReplayOptions(timeout_seconds=0.0))
    async with asyncio.timeout(15):
        with pytest.raises(KafkaFailed, match=f"checkpoints of partition 0 in {partition.topic}"):
            await reader.read(0)


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    kafka = KafkaOptions(bootstrap_servers=address, request_timeout_seconds=5.0)
    with pytest.raises(KafkaFailed, match=address):
        await KafkaCheckpoints(kafka, "states", ReplayOptions()).read(0)
