"""The headers of an input record: reading and writing them.

Most headers of a call are the same on each of its records. They are told apart from the few that
change (number, time, trace), and what a combination of them means is worked out once and kept in
a bounded cache; that makes reading a record a matter of microseconds.

Names are matched without regard to case, since a `Sample-Rate` that is silently ignored would
spoil a call. An empty value counts as absent. Of a repeated header the last one counts, but each
must be readable. Headers that are not ours are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from consumer.codec.fields import (
    INTEGER_LIMIT,
    ChunkFields,
    ContentType,
    checked_meta,
    checked_tenant,
    excerpt,
    readable_traceparent,
    word,
)
from consumer.errors import RecordError
from consumer.model import AudioFormat, ChunkEvent, Encoding, LevelChoice, Milliseconds

Header = tuple[str, bytes]
"""Name and value."""
Sorted = tuple[tuple[Header, ...], int | None, Milliseconds | None, str | None]
"""A record's steady headers, its sequence number, its time of capture and its trace context."""

META_PREFIX = "meta-"
CONTENT_TYPE = "content-type"
MIME = {
    ContentType.RAW: b"application/octet-stream",
    ContentType.JSON: b"application/json",
    ContentType.PROTOBUF: b"application/protobuf",
}
"""What we write; reading accepts more."""

_COUNT_LIMIT = 64
_SIZE_LIMIT = 8192
_CACHE_SIZE = 4096
_SUPPORTED = (
    "application/octet-stream, audio/*, application/json, "
    "application/protobuf and application/x-protobuf"
)

_OTHER: Final = 0
_STEADY: Final = 1
_SEQUENCE: Final = 2
_CAPTURED_AT: Final = 3
_TRACEPARENT: Final = 4
"""How a header is treated."""
_ROLES = {
    "event": _STEADY,
    "encoding": _STEADY,
    "sample-rate": _STEADY,
    "channels": _STEADY,
    "channel": _STEADY,
    "level": _STEADY,
    "tenant": _STEADY,
    CONTENT_TYPE: _STEADY,
    "sequence": _SEQUENCE,
    "captured-at": _CAPTURED_AT,
    "traceparent": _TRACEPARENT,
}
_LONGEST_NAME = max(map(len, _ROLES))


@dataclass(frozen=True, slots=True, eq=False)
class ChunkDefaults:
    """What holds for records that don't say otherwise.

    Compared by identity: it is part of the key under which understood headers are kept.
    """

    format: AudioFormat = field(default_factory=AudioFormat)
    level: LevelChoice = LevelChoice.ALL
    content: ContentType = ContentType.RAW


@dataclass(frozen=True, slots=True)
class Plain:
    """What governs a record that has no body to say otherwise."""

    event: ChunkEvent
    format: AudioFormat
    level: LevelChoice

    @staticmethod
    def of(fields: ChunkFields, defaults: ChunkDefaults) -> "Plain":
        """The fields with defaults for what they leave out. Raises RecordError."""
        return Plain(
            event=fields.event or ChunkEvent.AUDIO,
            format=fields.format(defaults.format),
            level=fields.level or defaults.level,
        )


@dataclass(frozen=True, slots=True)
class Steady:
    """The meaning of the headers that stay the same. plain: only where the value is raw audio."""

    content: ContentType
    fields: ChunkFields
    plain: Plain | None


def sort_headers(headers: Sequence[Header]) -> Sorted:
    """Take the headers apart in one pass; foreign ones are left out. Raises RecordError."""
    steady = []
    sequence = captured_at = traceparent = None
    for header in headers:
        role = _ROLES.get(header[0])
        if role is None:
            role = _role(header[0])
        if role == _STEADY:
            steady.append(header)
        elif role == _OTHER or not header[1]:
            continue
        elif role == _SEQUENCE:
            sequence = _number("sequence", header[1])
        elif role == _CAPTURED_AT:
            captured_at = Milliseconds(_number("captured-at", header[1]))
        else:
            traceparent = readable_traceparent(header[1])
    return tuple(steady), sequence, captured_at, traceparent


@lru_cache(maxsize=_CACHE_SIZE)
def understand(steady: tuple[Header, ...], defaults: ChunkDefaults) -> Steady:
    """What the steady headers mean. Raises RecordError, which is not cached.

    Number and size are limited first, because what is understood stays in the cache.
    """
    size = sum(len(name) + len(value or b"") for name, value in steady)
    if len(steady) > _COUNT_LIMIT or size > _SIZE_LIMIT:
        limits = f"more than {_COUNT_LIMIT} headers or {_SIZE_LIMIT} bytes of them"
        raise RecordError("bad-header", limits)
    words = [(name, _text(name, value)) for name, value in steady if value]
    said = {name.lower(): text for name, text in words if not _is_meta(name)}
    meta = {name[len(META_PREFIX) :]: text for name, text in words if _is_meta(name)}
    content = _content(said[CONTENT_TYPE]) if CONTENT_TYPE in said else defaults.content
    fields = _fields(said, meta)
    raw = content is ContentType.RAW
    return Steady(content, fields, Plain.of(fields, defaults) if raw else None)


def write_headers(fields: ChunkFields) -> tuple[Header, ...]:
    """The headers that say what the fields say."""
    said = {
        "event": fields.event,
        "encoding": fields.encoding,
        "sample-rate": fields.sample_rate,
        "channels": fields.channels,
        "channel": fields.channel,
        "level": fields.level,
        "sequence": fields.sequence,
        "captured-at": fields.captured_at,
        "tenant": fields.tenant,
        "traceparent": fields.traceparent,
        **{META_PREFIX + name: text for name, text in fields.meta.items()},
    }
    return tuple((name, str(v).encode("ascii")) for name, v in said.items() if v is not None)


def _role(name: str) -> int:
    if _is_meta(name):
        return _STEADY
    return _ROLES.get(name[: _LONGEST_NAME + 1].lower(), _OTHER)


def _is_meta(name: str) -> bool:
    return name[: len(META_PREFIX)].lower() == META_PREFIX


def _text(name: str, value: bytes) -> str:
    if not value.isascii():
        raise RecordError("bad-header", f"{excerpt(name)}: {excerpt(value)} is not ASCII")
    return value.decode("ascii")


def _number(name: str, value: bytes) -> int:
    if value.isdigit() and len(value) <= 19 and (number := int(value)) < INTEGER_LIMIT:
        return number
    detail = f"{name}: {excerpt(value)} is not a whole number within 0..2^63-1"
    raise RecordError("bad-header", detail)


def _fields(said: dict[str, str], meta: dict[str, str]) -> ChunkFields:
    def number(name: str) -> int | None:
        return _number(name, said[name].encode()) if name in said else None

    event, encoding, level = said.get("event"), said.get("encoding"), said.get("level")
    return ChunkFields(
        event=word(ChunkEvent, "event", event) if event else None,
        encoding=word(Encoding, "encoding", encoding) if encoding else None,
        sample_rate=number("sample-rate"),
        channels=number("channels"),
        channel=number("channel"),
        level=word(LevelChoice, "level", level) if level else None,
        tenant=checked_tenant("bad-header", said.get("tenant")),
        meta=checked_meta(meta),
    )


def _content(text: str) -> ContentType:
    mime = text.partition(";")[0].strip().lower()
    if mime == "application/octet-stream" or mime.startswith("audio/"):
        return ContentType.RAW
    if mime == "application/json":
        return ContentType.JSON
    if mime in ("application/protobuf", "application/x-protobuf"):
        return ContentType.PROTOBUF
    detail = f"{excerpt(text)} is not supported; supported are {_SUPPORTED}"
    raise RecordError("unknown-content-type", detail)
