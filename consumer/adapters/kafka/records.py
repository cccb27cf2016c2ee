"""A record of the client library as one of ours; the hot path of reading."""

from aiokafka import ConsumerRecord

from consumer.model import Milliseconds, Offset, Partition, Record


def record(partition: Partition, read: "ConsumerRecord[bytes | None, bytes | None]") -> Record:
    """The same record in our words; a header without a value has an empty one."""
    headers = read.headers
    if headers and any(value is None for _, value in headers):
        headers = tuple((name, value or b"") for name, value in headers)
    return Record(
        partition,
        Offset(read.offset),
        Milliseconds(read.timestamp),
        read.key,
        read.value,
        headers,
    )
