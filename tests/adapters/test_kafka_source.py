"""What only the real source can go wrong in."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka import errors as foreign

from consumer.adapters.kafka.options import KafkaOptions, SourceOptions
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.errors import KafkaFailed, KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition
from tests.adapters.broker import Broker, free_port
from tests.adapters.member import Member, joined
from tests.adapters.worlds import BrokerWorld

pytestmark = pytest.mark.broker


def real(member: Member) -> Any:
    """The client library's consumer inside a source."""
    source = member.source
    assert isinstance(source, KafkaSource)
    return source._consumer


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_reads_every_compression(broker: Broker, real_world: BrokerWorld, codec: str) -> None:
    """Topics are read whatever their producers compress with."""
    [partition] = await real_world.topic()
    async with AIOKafkaProducer(bootstrap_servers=broker.address, compression_type=codec) as writer:
        await writer.send_and_wait(partition.topic, bytes(8000), b"call", partition=0)
    async with joined(real_world.source(partition.topic, "codec")) as member:
        await member.source.begin(partition, None)
        [record] = await member.read(1)
    assert record.value == bytes(8000)


async def test_loses_nothing_in_a_poll_that_fails(
    real_world: BrokerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that the library had read before it failed are handed out by the next poll."""
    [partition] = await real_world.topic()
    await real_world.put(partition, b"a")
    async with joined(real_world.source(partition.topic, "fail")) as member:
        await member.source.begin(partition, None)
        consumer = real(member)
        getmany = consumer.getmany

        async def fail_after_reading(*places: object, **options: object) -> Mapping[Any, Any]:
            if await getmany(*places, **options):
                raise foreign.CorruptRecordException("broken")
            return {}

        monkeypatch.setattr(consumer, "getmany", fail_after_reading)
        with pytest.raises(KafkaFailed, match="broken"):
            await member.read(1)
        monkeypatch.undo()
        assert [r.value for r in await member.read(1)] == [b"a"]


async def test_goes_on_as_told_when_retention_overtakes_reading(
    real_world: BrokerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offset that vanished while it was to be read stops reading, or moves it, by option."""
    [partition] = await real_world.topic()
    await real_world.put(partition, b"a")
    place = TopicPartition(*partition)

    async def vanish(*_: object, **__: object) -> Mapping[Any, Any]:
        monkeypatch.undo()
        raise foreign.OffsetOutOfRangeError({place: 0})

    async def now_from_five(_: Partition) -> tuple[Offset, Offset]:
        return Offset(5), Offset(9)

    for choice in ("stop", "latest"):
        source = real_world.source(partition.topic, f"gone-{choice}", out_of_range=choice)
        async with joined(source) as member:
            await source.begin(partition, None)
            monkeypatch.setattr(source, "_bounds", now_from_five)
            monkeypatch.setattr(real(member), "getmany", vanish)
            if choice == "stop":
                with pytest.raises(KafkaRefused, match="retention deleted it"):
                    await source.poll((), 0.1)
            else:
                assert not await source.poll((), 0.1)
                assert await real(member).position(place) in (1, 9)


async def test_says_when_fetching_has_died(real_world: BrokerWorld) -> None:
    """A library whose background work has ended is an error, not an eternal silence."""
    [partition] = await real_world.topic()
    async with joined(real_world.source(partition.topic, "dead")) as member:
        real(member)._fetcher._fetch_task.cancel()
        await asyncio.sleep(0)
        with pytest.raises(KafkaFailed, match="has ended"):
            await member.source.poll((), 0.1)


async def test_tells_a_loss_from_a_revoke(lone_broker: Broker) -> None:
    """When the group has forgotten us, the partitions are lost and nothing may be committed."""
    kafka = lone_broker.options
    partition = Partition("audio", 0)
    async with KafkaTopics(kafka) as topics:
        await topics.create(["audio"], partitions=1, copies=1)
    options = SourceOptions(
        topic="audio", group_id="lost", session_timeout_seconds=6.0, heartbeat_seconds=0.2
    )
    refused: list[bool] = []
    async with joined(KafkaSource(kafka, options)) as member:
        await member.source.begin(partition, None)
        await member.source.commit({partition: Offset(0)})

        async def try_to_commit() -> None:
            with pytest.raises(OwnershipLost):
                await member.source.commit({partition: Offset(0)})
            refused.append(True)

        member.on_revoked = try_to_commit
        lone_broker.stop()
        lone_broker.start()
        await member.revokes(1)
        await member.assignments(2)
        assert [lost for _, lost in member.revoked] == [True]
    assert refused == [True]


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    kafka = KafkaOptions(bootstrap_servers=address, request_timeout_seconds=5.0)
    source = KafkaSource(kafka, SourceOptions(topic="audio", group_id="nobody"))
    with pytest.raises(KafkaFailed, match=f"can't join the group at {address}"):
        await Member(source).start()


async def test_has_left_its_group_when_it_has_stopped(real_world: BrokerWorld) -> None:
    """A lone member says goodbye, though the embedded broker counts its generation as 0."""
    [partition] = await real_world.topic()
    async with joined(real_world.source(partition.topic, "goodbye")) as member:
        consumer = real(member)
        assert consumer._coordinator.generation == 0
        member_id = consumer._coordinator.member_id
    async with joined(real_world.source(partition.topic, "goodbye")) as next_member:
        assert real(next_member)._coordinator.member_id != member_id
        assert next_member.partitions == {partition}
        assert len(next_member.assigned) == 1
