"""The output topics.

A record counts as written when all in-sync replicas have it. Records of one partition are written
in the order in which they were sent: the library keeps one batch per partition in flight, so not
even a retry can overtake.
"""

import asyncio

from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import writer_arguments
from consumer.adapters.kafka.errors import ours
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, SinkOptions
from consumer.adapters.kafka.reach import reach
from consumer.errors import KafkaRefused, LocalProtocolError
from consumer.model import Outgoing


class _Null:
    """Stands for a null value: the library refuses a record with neither key nor value."""


_NULL = _Null()


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
            **writer_arguments(self._kafka, self._options), value_serializer=_plain
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
        written = asyncio.get_running_loop().create_future()
        try:
            sent = await (await self._alive()).send(
                record.topic,
                value=_NULL if record.value is None else record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
            )
        except LocalProtocolError:
            raise
        except Exception as error:
            _fail(written, record, error)
        else:
            sent.add_done_callback(lambda done: _pass_on(done, written, record))
        return written

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


def _pass_on(
    sent: "asyncio.Future[object]", written: "asyncio.Future[None]", record: Outgoing
) -> None:
    if written.done():
        return
    if sent.cancelled():
        written.cancel()
        return
    error = sent.exception()
    if error is None:
        written.set_result(None)
    else:
        _fail(written, record, error)


def _fail(written: "asyncio.Future[None]", record: Outgoing, error: BaseException) -> None:
    failure = ours(error, f"can't write to {record.topic}")
    if isinstance(error, AssertionError):  # the library's way to say that there is no such thing
        failure = KafkaRefused(f"{record.topic} has no partition {record.partition}")
    failure.__cause__ = error
    written.set_exception(failure)


def _plain(value: "bytes | _Null") -> bytes | None:
    return None if isinstance(value, _Null) else value
