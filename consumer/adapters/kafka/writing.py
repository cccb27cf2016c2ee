"""Handing one record to a producer of the client library, with what becomes of it in our words."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.errors import no_partition, ours
from consumer.errors import KafkaFailed
from consumer.model import Outgoing, Partition


class _Null:
    """Stands for a null value: the library refuses a record with neither key nor value."""


_NULL: Final = _Null()


def plain(value: "bytes | _Null") -> bytes | None:
    """The producer's `value_serializer`."""
    return None if isinstance(value, _Null) else value


async def write(producer: AIOKafkaProducer, record: Outgoing) -> "asyncio.Future[None]":
    """Hand a record over; the future ends when the brokers have acknowledged it.

    Waits while the send buffer is full. The future raises KafkaFailed, KafkaRefused or
    RecordTooLarge.
    """
    written = asyncio.get_running_loop().create_future()
    try:
        sent = await _send(producer, record)
    except Exception as error:
        _fail(written, record, error)
    else:
        sent.add_done_callback(lambda done: _pass_on(done, written, record))
    return written


async def _send(producer: AIOKafkaProducer, record: Outgoing) -> "asyncio.Future[object]":
    """A topic that lacks the partition may have got it since brokers were asked the last time."""
    try:
        return await _hand_over(producer, record)
    except AssertionError:
        if not _missing(producer, record):
            raise
    if not await producer.client.force_metadata_update():
        raise KafkaFailed("no broker says how many partitions there are")
    try:
        return await _hand_over(producer, record)
    except AssertionError as error:
        if _missing(producer, record):
            raise no_partition(Partition(record.topic, record.partition or 0)) from error
        raise


async def _hand_over(producer: AIOKafkaProducer, record: Outgoing) -> "asyncio.Future[object]":
    sent: asyncio.Future[object] = await producer.send(
        record.topic,
        value=_NULL if record.value is None else record.value,
        key=record.key,
        partition=record.partition,
        headers=list(record.headers),
    )
    return sent


def _missing(producer: AIOKafkaProducer, record: Outgoing) -> bool:
    """The library asserts that a partition exists; a producer that has ended asserts too."""
    known = producer.client.cluster.partitions_for_topic(record.topic) or ()
    return record.partition not in known


def _pass_on(
    sent: "asyncio.Future[object]", written: "asyncio.Future[None]", record: Outgoing
) -> None:
    error = None if sent.cancelled() else sent.exception()  # fetched, or Python complains of it
    if written.done():
        return
    if sent.cancelled():
        written.cancel()
    elif error is None:
        written.set_result(None)
    else:
        _fail(written, record, error)


def _fail(written: "asyncio.Future[None]", record: Outgoing, error: BaseException) -> None:
    failure = ours(error, f"can't write to {record.topic}", "Write")
    if failure is not error:
        failure.__cause__ = error
    written.set_exception(failure)
