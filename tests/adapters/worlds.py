"""The worlds that suites of the Kafka ports run in: in memory, embedded broker, Apache Kafka."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from consumer.adapters.kafka.checkpoints import KafkaCheckpoints
from consumer.adapters.kafka.options import (
    KafkaOptions,
    ReplayOptions,
    SinkOptions,
    SourceOptions,
    TransactionOptions,
)
from consumer.adapters.kafka.records import record
from consumer.adapters.kafka.replay import KafkaReplay
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.kafka.standings import Standings
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.adapters.kafka.transactor import KafkaTransactor
from consumer.core.claim import Standing
from consumer.model import Offset, Partition, Record
from consumer.ports import Checkpoints, Replay, Sink, Source, Transactor
from tests.adapters.broker import Broker
from tests.fakes.checkpoints import FakeCheckpoints
from tests.fakes.cluster import FakeCluster
from tests.fakes.replay import FakeReplay
from tests.fakes.sink import FakeSink
from tests.fakes.source import FakeSource
from tests.fakes.transactor import FakeTransactor
from tests.kafka.cluster import Cluster

LARGEST_RECORD_BYTES = 4096


class World(Protocol):
    """Where topics are and who reads and writes them."""

    async def topic(self, partitions: int = 1) -> list[Partition]:
        """A topic of its own for one test."""
        ...

    async def put(
        self,
        partition: Partition,
        value: bytes | None,
        key: bytes | None = b"call",
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Offset:
        """Write a record without the sink."""
        ...

    async def contents(self, partition: Partition) -> list[Record]:
        """All records of a partition, read without the source."""
        ...

    def source(self, topic: str, group: str, **options: Any) -> Source:
        """A member of a group, not yet started."""
        ...

    def sink(self) -> Sink:
        """A sink, not yet started, that takes records up to LARGEST_RECORD_BYTES."""
        ...

    def replay(self) -> Replay:
        """A second reader."""
        ...

    def transactor(self, partition: Partition, group: str) -> Transactor:
        """A partition's writer, not yet started, with the sink's largest record."""
        ...

    def checkpoints(self, topic: str) -> Checkpoints:
        """A reader of a checkpoint topic."""
        ...

    async def standing(self, partition: Partition, group: str) -> Standing | None:
        """What a group has committed, asked from outside."""
        ...


class FakeWorld:
    """In memory."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self._topics = 0

    async def topic(self, partitions: int = 1) -> list[Partition]:
        self._topics += 1
        return self.cluster.create(f"topic-{self._topics}", partitions)

    async def put(
        self,
        partition: Partition,
        value: bytes | None,
        key: bytes | None = b"call",
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Offset:
        return self.cluster.append(partition, value, key, headers).offset

    async def contents(self, partition: Partition) -> list[Record]:
        return self.cluster.contents(partition)

    def source(self, topic: str, group: str, **options: Any) -> Source:
        return FakeSource(self.cluster, topic, group, **options)

    def sink(self) -> Sink:
        return FakeSink(self.cluster, max_record_bytes=LARGEST_RECORD_BYTES)

    def replay(self) -> Replay:
        return FakeReplay(self.cluster)

    def transactor(self, partition: Partition, group: str) -> Transactor:
        shared = self.cluster.group(group, partition.topic)
        return FakeTransactor(
            self.cluster, shared, partition, max_record_bytes=LARGEST_RECORD_BYTES
        )

    def checkpoints(self, topic: str) -> Checkpoints:
        return FakeCheckpoints(self.cluster, topic)

    async def standing(self, partition: Partition, group: str) -> Standing | None:
        return self.cluster.group(group, partition.topic).standing(partition)


AnyBroker = Broker | Cluster


class BrokerWorld:
    """A running broker, written to and read by the bare client library."""

    def __init__(self, broker: AnyBroker, producer: AIOKafkaProducer) -> None:
        self._broker = broker
        self._producer = producer

    @property
    def _apache(self) -> bool:
        return isinstance(self._broker, Cluster)

    @property
    def kafka(self) -> KafkaOptions:
        """A name that brokers see, of its own for each adapter."""
        return replace(self._broker.options, client_id=self._broker.fresh("test"))

    async def topic(self, partitions: int = 1) -> list[Partition]:
        name = self._broker.fresh("topic")
        async with KafkaTopics(self.kafka) as topics:
            await topics.create([name], partitions, copies=1)
        return [Partition(name, number) for number in range(partitions)]

    async def put(
        self,
        partition: Partition,
        value: bytes | None,
        key: bytes | None = b"call",
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Offset:
        topic, number = partition
        written = await self._producer.send_and_wait(
            topic, value or "", key, number, headers=list(headers)
        )
        return Offset(written.offset)

    async def contents(self, partition: Partition) -> list[Record]:
        place = TopicPartition(*partition)
        address = self._broker.address
        async with AIOKafkaConsumer(
            bootstrap_servers=address, fetch_max_wait_ms=20, isolation_level="read_committed"
        ) as reader:
            reader.assign([place])
            reader.seek(place, 0)
            end = (await reader.end_offsets([place]))[place]
            found: list[Record] = []
            while await reader.position(place) < end:
                batch = await reader.getmany(place, timeout_ms=100)
                found += [record(partition, read) for read in batch.get(place, ())]
        return found

    def source(self, topic: str, group: str, **options: Any) -> Source:
        # The embedded broker lets a group begin after half of its session timeout.
        quick = {} if self._apache else {"session_timeout_seconds": 2.0, "heartbeat_seconds": 0.2}
        arguments = {"fetch_wait_seconds": 0.1, **quick, **options}
        return KafkaSource(self.kafka, SourceOptions(topic=topic, group_id=group, **arguments))

    def sink(self) -> Sink:
        options = SinkOptions(idempotent=self._apache, max_record_bytes=LARGEST_RECORD_BYTES)
        return KafkaSink(self.kafka, options)

    def replay(self) -> Replay:
        return KafkaReplay(self.kafka, ReplayOptions(timeout_seconds=10.0))

    def transactor(self, partition: Partition, group: str) -> Transactor:
        sink = SinkOptions(max_record_bytes=LARGEST_RECORD_BYTES)
        return KafkaTransactor(self.kafka, sink, TransactionOptions(group_id=group), partition)

    def checkpoints(self, topic: str) -> Checkpoints:
        return KafkaCheckpoints(self.kafka, topic, ReplayOptions(timeout_seconds=10.0))

    async def standing(self, partition: Partition, group: str) -> Standing | None:
        standings = Standings(self.kafka, group, 10.0)
        try:
            return await standings.read(partition)
        finally:
            await standings.stop()


@asynccontextmanager
async def broker_world(broker: AnyBroker) -> AsyncIterator[BrokerWorld]:
    """A world over a running broker."""
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.address,
        value_serializer=lambda value: value or None,  # the library refuses null keys and values
    )
    async with producer:
        yield BrokerWorld(broker, producer)
