"""What the group has committed for single partitions, with who has committed it."""

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.arguments import client_arguments
from consumer.adapters.kafka.errors import translated
from consumer.adapters.kafka.group_offsets import group_offsets
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.reach import reach
from consumer.codec.claims import read_claim
from consumer.core.claim import Standing
from consumer.model import Offset, Partition


class Standings:
    """Asks the group's coordinator. Connects at the first question, because most never come."""

    def __init__(self, kafka: KafkaOptions, group_id: str, patience_seconds: float) -> None:
        self._kafka = kafka
        self._group_id = group_id
        self._patience = patience_seconds
        self._client: AIOKafkaAdminClient | None = None
        self._connecting = asyncio.Lock()

    async def read(self, partition: Partition) -> Standing | None:
        """What is committed, None when nothing is. Raises KafkaFailed, KafkaRefused."""
        place = TopicPartition(*partition)
        client = await self._connected()
        doing = f"can't look at what group {self._group_id} has committed"
        with translated(doing):
            async with asyncio.timeout(2 * self._patience):
                found = await group_offsets(client, self._group_id, [place], self._patience)
        offset, metadata = found[place]
        return None if offset < 0 else Standing(Offset(offset), read_claim(metadata))

    async def stop(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await leave(client.close, self._kafka.stop_timeout_seconds)

    async def _connected(self) -> AIOKafkaAdminClient:
        async with self._connecting:
            if self._client is None:
                client = AIOKafkaAdminClient(**client_arguments(self._kafka))
                patience = self._kafka.request_timeout_seconds
                try:
                    await reach(client.start, patience, self._kafka, "can't reach Kafka")
                except BaseException:
                    await leave(client.close, self._kafka.stop_timeout_seconds)
                    raise
                self._client = client
            return self._client
