"""A reader that belongs to no group: for people who watch topics, and for looks from outside.

It commits nothing and disturbs nobody. It also tells where partitions end and how far a group has
committed, which is what an onlooker needs to say whether work is done.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.arguments import client_arguments, loner_arguments
from consumer.adapters.kafka.errors import translated
from consumer.adapters.kafka.group_offsets import group_offsets
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.records import record
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.errors import KafkaRefused, LocalProtocolError
from consumer.model import Offset, Partition, Record

_MOST: Final = 500
"""Records of one poll."""


class KafkaTail:
    """Follows all partitions of some topics; `async with` it."""

    def __init__(
        self, kafka: KafkaOptions, topics: Sequence[str], *, from_beginning: bool = False
    ) -> None:
        self._kafka = kafka
        self._topics = tuple(topics)
        self._from_beginning = from_beginning
        self._client: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> "KafkaTail":
        """Connect and find the place to begin. Raises KafkaFailed, KafkaRefused."""
        places = await self._places()
        self._client = AIOKafkaConsumer(**loner_arguments(self._kafka, ReplayOptions()))
        patience = self._kafka.request_timeout_seconds
        try:
            await reach(self._client.start, patience, self._kafka, "can't connect to read")
            self._client.assign(places)
            await self._begin(self._client, places)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._stop()

    @property
    def partitions(self) -> frozenset[Partition]:
        """All that is followed."""
        return frozenset(Partition(*place) for place in self._started().assignment())

    async def poll(self, wait: float) -> Sequence[Record]:
        """What is new, in order within a partition; nothing after `wait` seconds.

        Raises KafkaFailed, KafkaRefused.
        """
        client = self._started()
        with translated(f"can't read {', '.join(self._topics)}", "Read"):
            fetched = await client.getmany(timeout_ms=int(wait * 1000), max_records=_MOST)
        return [record(Partition(*place), read) for place, some in fetched.items() for read in some]

    async def ends(self) -> Mapping[Partition, Offset]:
        """The offset after the last record of each partition. Raises KafkaFailed."""
        client = self._started()
        with translated("can't find the ends of the partitions"):
            ends = await client.end_offsets(list(client.assignment()))
        return {Partition(*place): Offset(end) for place, end in ends.items()}

    async def committed(self, group_id: str) -> Mapping[Partition, Offset | None]:
        """How far a group has committed, None where it never did. Raises KafkaFailed."""
        places = list(self._started().assignment())
        admin = AIOKafkaAdminClient(**client_arguments(self._kafka))
        try:
            patience = self._kafka.request_timeout_seconds
            await reach(admin.start, patience, self._kafka, "can't reach Kafka")
            found = await group_offsets(admin, group_id, places, patience)
        finally:
            await admin.close()
        return {
            Partition(*place): Offset(standing.offset) if standing.offset >= 0 else None
            for place, standing in found.items()
        }

    async def _places(self) -> list[TopicPartition]:
        async with KafkaTopics(self._kafka) as topics:
            seen = await topics.look(self._topics)
        missing = [name for name, topic in seen.items() if topic is None]
        if missing:
            names = ", ".join(missing)
            raise KafkaRefused(f"no such topic, or this user may not see it: {names}")
        return [
            TopicPartition(name, number)
            for name, topic in seen.items()
            if topic is not None
            for number in range(topic.partitions)
        ]

    async def _begin(self, client: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
        with translated("can't find where to begin"):
            find = client.beginning_offsets if self._from_beginning else client.end_offsets
            for place, offset in (await find(places)).items():
                client.seek(place, offset)

    def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise LocalProtocolError("the tail was not started or is stopped")
        return self._client

    async def _stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await leave(client.stop, self._kafka.stop_timeout_seconds)
