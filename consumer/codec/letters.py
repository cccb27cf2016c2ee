"""Dead letters: records that could not be used, as they were, with where and why in headers.

A letter can be sent to its topic again as it is. Ours are `dlq-` headers, which the input contract
ignores; those of an earlier failure give way, so that each stands for the last one.
"""

from consumer.codec.headers import Header
from consumer.model import DeadLetter, Outgoing

PREFIX = "dlq-"
DETAIL_LIMIT = 512
"""Bytes of a detail; it is for people, the reason is for programs."""

_NAMES = ("topic", "partition", "offset", "timestamp", "reason", "detail", "session", "value")
_OURS = frozenset(PREFIX + name for name in _NAMES)


def encode_letter(letter: DeadLetter, topic: str) -> Outgoing:
    """The record for the dead letter topic, on the partition number of its origin.

    `dlq-value` is `original`, or `deleted` where retention has deleted the record: then key and
    place are all that is left.
    """
    record = letter.record
    said = {
        "topic": letter.partition.topic,
        "partition": str(letter.partition.number),
        "offset": str(letter.offset),
        "timestamp": None if record is None else str(record.timestamp),
        "reason": letter.reason,
        "detail": letter.detail,
        "session": letter.session,
        "value": "deleted" if record is None else "original",
    }
    ours = tuple((PREFIX + name, _bytes(text)) for name, text in said.items() if text is not None)
    return Outgoing(
        topic=topic,
        partition=letter.partition.number,
        key=letter.key if record is None else record.key,
        value=None if record is None else record.value,
        headers=(() if record is None else _foreign(record.headers)) + ours,
    )


def _foreign(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    return tuple(header for header in headers if header[0] not in _OURS)


def _bytes(text: str) -> bytes:
    encoded = text.encode("utf-8", "backslashreplace")
    return encoded[:DETAIL_LIMIT].decode("utf-8", "ignore").encode()
