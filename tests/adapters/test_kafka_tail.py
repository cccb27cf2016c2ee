"""The reader without a group, and making topics, on every broker."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import KafkaOptions, SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.tail import KafkaTail
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.errors import KafkaFailed, KafkaRefused, LocalProtocolError
from consumer.model import Offset, Outgoing, Partition, Record
from tests.adapters.worlds import AnyBroker


async def write(
    any_broker: AnyBroker, topic: str, values: Sequence[bytes], partition: int = 0
) -> None:
    """Write values one after the other, each acknowledged before the next."""
    sink = KafkaSink(any_broker.options, SinkOptions(idempotent=False))
    await sink.start()
    for value in values:
        await (await sink.send(Outgoing(topic, partition, b"key", value, (("name", b"it"),))))
    await sink.stop()


async def read(tail: KafkaTail, count: int) -> list[Record]:
    """Poll until there are so many records."""
    records: list[Record] = []
    async with asyncio.timeout(20):
        while len(records) < count:
            records += await tail.poll(0.2)
    return records


async def test_topic_is_made_once(any_broker: AnyBroker) -> None:
    """Making a topic says whether it was made, and gives it the partitions that were asked for."""
    name = any_broker.fresh("made")
    assert await make_topic(any_broker.options, name, 3)
    assert not await make_topic(any_broker.options, name, 5)
    async with KafkaTopics(any_broker.options) as topics:
        seen = (await topics.look([name]))[name]
    assert seen is not None
    assert seen.partitions == 3


async def test_impossible_topic_is_refused(any_broker: AnyBroker) -> None:
    """What can't be asked for is an error of ours that names the topic."""
    name = any_broker.fresh("impossible")
    with pytest.raises(KafkaRefused, match=f"can't create {name}"):
        await make_topic(any_broker.options, name, 1, copies=-1)


async def test_tail_reads_all_from_the_beginning(any_broker: AnyBroker) -> None:
    """From the beginning everything comes, in order within a partition."""
    name = any_broker.fresh("all")
    await make_topic(any_broker.options, name, 2)
    await write(any_broker, name, [b"1", b"2"], partition=0)
    await write(any_broker, name, [b"3"], partition=1)
    async with KafkaTail(any_broker.options, [name], from_beginning=True) as tail:
        records = await read(tail, 3)
        assert tail.partitions == {Partition(name, 0), Partition(name, 1)}
    values: dict[int, list[bytes | None]] = {0: [], 1: []}
    for record in records:
        values[record.partition.number].append(record.value)
    assert values == {0: [b"1", b"2"], 1: [b"3"]}
    assert records[0].headers == (("name", b"it"),)


async def test_tail_begins_at_the_end(any_broker: AnyBroker) -> None:
    """Without being told otherwise only what is new comes."""
    name = any_broker.fresh("new")
    await make_topic(any_broker.options, name, 1)
    await write(any_broker, name, [b"old"])
    async with KafkaTail(any_broker.options, [name]) as tail:
        await write(any_broker, name, [b"new"])
        assert [record.value for record in await read(tail, 1)] == [b"new"]


async def test_tail_tells_ends_and_committed_offsets(any_broker: AnyBroker) -> None:
    """It sees where partitions end and how far a group that it doesn't join has committed."""
    name, group = any_broker.fresh("ends"), any_broker.fresh("group")
    await make_topic(any_broker.options, name, 2)
    await write(any_broker, name, [b"1"])
    async with KafkaTail(any_broker.options, [name]) as tail:
        first, second = Partition(name, 0), Partition(name, 1)
        assert await tail.ends() == {first: Offset(1), second: Offset(0)}
        assert await tail.committed(group) == {first: None, second: None}
        member = AIOKafkaConsumer(
            bootstrap_servers=any_broker.address, group_id=group, enable_auto_commit=False
        )
        await member.start()
        member.assign([TopicPartition(name, 0)])
        await member.commit({TopicPartition(name, 0): 1})
        await member.stop()
        assert await tail.committed(group) == {first: Offset(1), second: None}


async def test_missing_topic_is_refused(any_broker: AnyBroker) -> None:
    """Watching nothing is a mistake that names the topic."""
    with pytest.raises(KafkaRefused, match=r"no such topic.*: nowhere"):
        async with KafkaTail(any_broker.options, ["nowhere"]):
            pytest.fail("it began")


async def test_unreachable_brokers_fail() -> None:
    """Without brokers the error says so."""
    options = KafkaOptions(bootstrap_servers="127.0.0.1:1", request_timeout_seconds=5)
    with pytest.raises(KafkaFailed, match="can't reach Kafka"):
        async with KafkaTail(options, ["calls"]):
            pytest.fail("it began")


async def test_tail_outside_its_block_is_a_bug(any_broker: AnyBroker) -> None:
    """Polling before the beginning or after the end is a mistake of this program."""
    with pytest.raises(LocalProtocolError):
        await KafkaTail(any_broker.options, ["calls"]).poll(0.1)
