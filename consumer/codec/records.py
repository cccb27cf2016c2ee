"""Input records to chunks: the door through which all audio comes in.

Whatever bytes a producer sends, this either understands them or raises RecordError with a stable
reason word, so that one bad record can be put aside without harm to any other.
"""

from dataclasses import replace

from consumer.codec.envelope import read_body
from consumer.codec.fields import ChunkFields, ContentType
from consumer.codec.headers import ChunkDefaults, Plain, sort_headers, understand
from consumer.errors import RecordError
from consumer.model import AudioChunk, ChunkEvent, Record, SessionKey

KEY_LIMIT = 256
"""Bytes of a key."""


def decode_chunk(record: Record, defaults: ChunkDefaults) -> AudioChunk:
    """Understand one record of the input topic. Raises RecordError and nothing else.

    A null value ends the session, whatever the headers say. An end mark may carry last audio.
    """
    key = session_key(record.key)
    headers, sequence, captured_at, traceparent = sort_headers(record.headers)
    steady = understand(headers, defaults)
    value = record.value
    if value is not None and steady.content is not ContentType.RAW:
        said = replace(
            steady.fields, sequence=sequence, captured_at=captured_at, traceparent=traceparent
        )
        return _enveloped(record, key, said, read_body(steady.content, value), defaults)
    plain = steady.plain or Plain.of(steady.fields, defaults)
    return AudioChunk(
        key=key,
        offset=record.offset,
        timestamp=record.timestamp,
        event=ChunkEvent.END if value is None else plain.event,
        payload=value or b"",
        format=plain.format,
        level=plain.level,
        sequence=sequence,
        captured_at=captured_at,
        tenant=steady.fields.tenant,
        meta=steady.fields.meta,
        traceparent=traceparent,
    )


def session_key(key: bytes | None) -> SessionKey:
    """The session that a record key names. Raises RecordError `no-key` or `bad-key`."""
    if key is None:
        raise RecordError("no-key", "the key must name the session")
    if not 1 <= len(key) <= KEY_LIMIT:
        raise RecordError("bad-key", f"{len(key)} bytes are not within 1..{KEY_LIMIT}")
    try:
        return SessionKey(key.decode())
    except UnicodeDecodeError as error:
        raise RecordError("bad-key", f"not UTF-8 at byte {error.start}") from error


def _enveloped(
    record: Record,
    key: SessionKey,
    said: ChunkFields,
    body: tuple[ChunkFields, bytes | None],
    defaults: ChunkDefaults,
) -> AudioChunk:
    fields, audio = said.under(body[0]), body[1]
    plain = Plain.of(fields, defaults)
    if audio is None and plain.event is ChunkEvent.AUDIO:
        raise RecordError("bad-json", "the field `audio` is missing")
    return AudioChunk(
        key=key,
        offset=record.offset,
        timestamp=record.timestamp,
        event=plain.event,
        payload=audio or b"",
        format=plain.format,
        level=plain.level,
        sequence=fields.sequence,
        captured_at=fields.captured_at,
        tenant=fields.tenant,
        meta=fields.meta,
        traceparent=fields.traceparent,
    )
