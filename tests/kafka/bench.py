"""A place to try the client library out: an input and an output partition, and a group.

Only the bare library is used here: what is shown is what it and Apache Kafka do, not what we do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.group_offsets import group_offsets
from tests.kafka.cluster import Cluster

Isolation = Literal["read_committed", "read_uncommitted"]
Answer = TypeVar("Answer")

PATIENCE_SECONDS = 40.0
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Bench:
    """Names that no other test has."""

    kafka: Cluster
    group: str
    input: TopicPartition
    output: TopicPartition

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """A transactional producer of the input partition's owner, not yet started."""
        arguments = {
            "transactional_id": f"{self.group}:{self.input.topic}:{self.input.partition}",
            "transaction_timeout_ms": 15_000,
            "request_timeout_ms": 5_000,
            **options,
        }
        return AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap, **arguments)

    def member(
        self, listener: ConsumerRebalanceListener | None = None, **options: Any
    ) -> AIOKafkaConsumer:
        """A member of the group, not yet started, that is missed after two seconds."""
        arguments = {
            "group_id": self.group,
            "enable_auto_commit": False,
            "session_timeout_ms": 2_000,
            "heartbeat_interval_ms": 200,
            **options,
        }
        member = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap, **arguments)
        member.subscribe([self.input.topic], listener=listener)
        return member

    async def write(self, producer: AIOKafkaProducer, value: bytes, offset: int) -> None:
        """A record and an offset into the producer's transaction; metadata says the value too."""
        await self.record(producer, value)
        await self.offset(producer, offset, value.decode())

    async def record(self, producer: AIOKafkaProducer, value: bytes) -> None:
        """A record, acknowledged."""
        sent = await producer.send(self.output.topic, value, partition=self.output.partition)
        await sent

    async def offset(self, producer: AIOKafkaProducer, offset: int, metadata: str = "") -> None:
        """An offset into the producer's transaction."""
        standing = {self.input: OffsetAndMetadata(offset, metadata)}
        await producer.send_offsets_to_transaction(standing, self.group)

    async def values(self, isolation: Isolation = "read_committed") -> list[bytes]:
        """What a reader of the output sees just now."""
        servers = self.kafka.bootstrap
        async with AIOKafkaConsumer(
            bootstrap_servers=servers,
            isolation_level=isolation,
            fetch_max_wait_ms=50,
            request_timeout_ms=5_000,
        ) as reader:
            reader.assign([self.output])
            reader.seek(self.output, 0)
            end = (await reader.end_offsets([self.output]))[self.output]
            found: list[bytes] = []
            while await reader.position(self.output) < end:
                batch = await reader.getmany(self.output, timeout_ms=100)
                found += [record.value for record in batch.get(self.output, ())]
        return found

    async def end(self, isolation: Isolation = "read_committed") -> int:
        """Where the output ends for such a reader."""
        servers = self.kafka.bootstrap
        async with AIOKafkaConsumer(
            bootstrap_servers=servers, isolation_level=isolation, request_timeout_ms=5_000
        ) as reader:
            offset: int = (await reader.end_offsets([self.output]))[self.output]
            return offset

    async def standing(self) -> OffsetAndMetadata:
        """The group's committed offset of the input, -1 where there is none, with metadata."""
        async with admin(self.kafka) as client:
            found = await group_offsets(client, self.group, [self.input], PATIENCE_SECONDS)
        return found[self.input]

    async def coordinator(self, kind: Literal["group", "transaction"]) -> int:
        """The number of the node that coordinates the group, or the owner's transactions."""
        await self.standing()  # makes the group's coordinator if there was none
        async with admin(self.kafka) as client:
            key = self.group
            if kind == "transaction":
                key = f"{self.group}:{self.input.topic}:{self.input.partition}"
            number: int = await client.find_coordinator(key, 0 if kind == "group" else 1)
            return number


async def until(ask: Callable[[], Awaitable[Answer]], good: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is good."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await ask()
            if good(answer):
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)


async def shown(table: Bench, *values: bytes) -> None:
    """Wait until a reader sees these: a commit returns a little before its markers are written."""
    await until(table.values, lambda seen: seen == list(values))


async def assigned(member: AIOKafkaConsumer, table: Bench) -> None:
    """Wait until a member has the input."""

    async def has_it() -> bool:
        await member.getmany(timeout_ms=20)
        return table.input in member.assignment()

    await until(has_it, bool)


async def bench(kafka: Cluster) -> Bench:
    """A bench with topics of its own."""
    stem = kafka.fresh("bench")
    for topic in (f"{stem}-in", f"{stem}-out"):
        await make_topic(kafka.options, topic, 1, kafka.copies)
    return Bench(kafka, stem, TopicPartition(f"{stem}-in", 0), TopicPartition(f"{stem}-out", 0))


@asynccontextmanager
async def admin(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that is connected."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap, request_timeout_ms=5_000)
    await client.start()
    try:
        yield client
    finally:
        await client.close()
