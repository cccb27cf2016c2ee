"""The checkpoint topic, read whole: what earlier owners of a partition have left.

Compaction keeps it short, and only the newest record of a key is kept here, so a reading is bounded
by what goes on in the partition and not by its past.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import loner_arguments
from consumer.adapters.kafka.errors import no_partition, translated
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.records import record
from consumer.model import Partition, Record

_POLL_MS: Final = 200
_AT_ONCE: Final = 4
"""Partitions read at the same time: each needs connections of its own."""


class KafkaCheckpoints:
    """A `ports.Checkpoints` by aiokafka."""

    def __init__(self, kafka: KafkaOptions, topic: str, options: ReplayOptions) -> None:
        self._kafka = kafka
        self._topic = topic
        self._options = options
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def read(self, number: int) -> Sequence[Record]:
        """The newest record of every key up to the partition's end, oldest first.

        The end is that of finished transactions, so who writes in transactions must have ended
        its predecessor's before. Raises KafkaFailed, KafkaRefused.
        """
        doing = f"can't read the checkpoints of partition {number} in {self._topic}"
        async with self._turns:
            client = AIOKafkaConsumer(**loner_arguments(self._kafka, self._options))
            try:
                await reach(client.start, self._kafka.request_timeout_seconds, self._kafka, doing)
                with translated(doing, "Read"):
                    async with asyncio.timeout(self._options.timeout_seconds):
                        return await self._read_all(client, TopicPartition(self._topic, number))
            finally:
                await leave(client.stop, self._kafka.stop_timeout_seconds)

    async def _read_all(self, client: AIOKafkaConsumer, place: TopicPartition) -> Sequence[Record]:
        partition = Partition(*place)
        if partition.number not in await inside.partitions(client, partition.topic):
            raise no_partition(partition)
        found: dict[bytes | None, Record] = {}
        client.assign([place])
        end = (await client.end_offsets([place]))[place]
        client.seek(place, (await client.beginning_offsets([place]))[place])
        while await client.position(place) < end:
            batch = await client.getmany(place, timeout_ms=_POLL_MS)
            for read in batch.get(place, ()):
                found.pop(read.key, None)
                found[read.key] = record(partition, read)
        return tuple(found.values())
