"""The output topics.

A record counts as written when all in-sync replicas have it. Records of one partition are written
in the order in which they were sent: the library keeps one batch per partition in flight, so not
even a retry can overtake.
"""

import asyncio

from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import writer_arguments
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, SinkOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.writing import plain, write
from consumer.errors import LocalProtocolError
from consumer.model import Outgoing


class KafkaSink:
    """A `ports.Sink` by aiokafka."""

    def __init__(self, kafka: KafkaOptions, options: SinkOptions) -> None:
        self._kafka = kafka
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._reviving = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises KafkaFailed, KafkaRefused."""
        self._producer = AIOKafkaProducer(
            **writer_arguments(self._kafka, self._options), value_serializer=plain
        )
        doing = "can't start writing"
        if self._options.idempotent:
            doing += " (idempotently; brokers that don't know that need kafka.idempotent off)"
        # An idempotent producer would ask a broker that knows no such thing for ever.
        patience = self._kafka.request_timeout_seconds
        try:
            await reach(self._producer.start, patience, self._kafka, doing)
        except BaseException:
            await self.stop()
            raise

    async def send(self, record: Outgoing) -> "asyncio.Future[None]":
        """Hand a record over; the future ends when the brokers have acknowledged it.

        Waits while the send buffer is full. The future raises KafkaFailed, KafkaRefused or
        RecordTooLarge; an idempotent write waits through an outage instead of failing.
        """
        return await write(await self._alive(), record)

    async def _alive(self) -> AIOKafkaProducer:
        """The producer, or a new one when the brokers' answers have ended its work for good."""
        if self._producer is None:
            raise LocalProtocolError("the sink was not started or is stopped")
        if not inside.writes_no_more(self._producer):
            return self._producer
        async with self._reviving:
            if self._producer is not None and inside.writes_no_more(self._producer):
                await self.stop()
                await self.start()
        return await self._alive()

    async def stop(self) -> None:
        """Flush and disconnect; what doesn't end in time is left unwritten."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await leave(producer.stop, self._kafka.stop_timeout_seconds)
