"""One input partition's writer whose records and offset become visible together.

Each partition has a producer of its own, because that is what keeps out an owner that was replaced
and does not know: the library can't name the group's generation in a transaction, so brokers would
take offsets in it from anybody. A producer that starts under the same id ends the other's work.
"""

import asyncio

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import transactor_arguments
from consumer.adapters.kafka.errors import translated
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, SinkOptions, TransactionOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.writing import plain, write
from consumer.codec.claims import write_claim
from consumer.core.claim import Standing
from consumer.errors import LocalProtocolError
from consumer.model import Outgoing, Partition


class KafkaTransactor:
    """A `ports.Transactor` by aiokafka.

    ending: of its name at the brokers, the partition's number when None.
    """

    def __init__(
        self,
        kafka: KafkaOptions,
        sink: SinkOptions,
        options: TransactionOptions,
        partition: Partition,
        *,
        ending: str | None = None,
    ) -> None:
        self._kafka = kafka
        self._sink = sink
        self._options = options
        self._place = TopicPartition(*partition)
        self._doing = f"partition {partition.number} of {partition.topic}"
        ending = str(partition.number) if ending is None else ending
        self._name = f"{options.group_id}:{partition.topic}:{ending}"
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """End the work of whoever wrote for this partition before, then be the one who does.

        Raises KafkaFailed, KafkaRefused.
        """
        await self.stop()
        arguments = transactor_arguments(self._kafka, self._sink, self._options, self._name)
        producer = AIOKafkaProducer(**arguments, value_serializer=plain)
        self._producer = producer
        doing = f"can't write in transactions for {self._doing}"
        try:
            await reach(producer.start, self._options.start_seconds, self._kafka, doing)
        except BaseException:
            await self.stop()
            raise

    async def begin(self) -> None:
        """Open a transaction. Raises KafkaFailed."""
        with translated(f"can't begin a transaction for {self._doing}"):
            await self._started.begin_transaction()

    async def send(self, record: Outgoing) -> "asyncio.Future[None]":
        """Hand a record over; the future ends when the brokers have acknowledged it."""
        return await write(self._started, record)

    async def commit(self, standing: Standing) -> None:
        """Commit what was sent, all of it acknowledged, and this. Raises KafkaFailed."""
        offset = OffsetAndMetadata(standing.offset, write_claim(standing.claim))
        with translated(f"can't commit a transaction for {self._doing}"):
            async with asyncio.timeout(self._options.timeout_seconds):
                await self._started.send_offsets_to_transaction(
                    {self._place: offset}, self._options.group_id
                )
                await self._started.commit_transaction()

    async def stop(self) -> None:
        """Disconnect; an open transaction is left to whoever comes next."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        await leave(producer.stop, self._kafka.stop_timeout_seconds)
        # A stop that was cut off has closed no connection.
        await leave(producer.client.close, self._kafka.stop_timeout_seconds)
        inside.forget_transaction(producer)

    @property
    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise LocalProtocolError("the transactor was not started or is stopped")
        return self._producer
