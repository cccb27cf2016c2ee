"""Input records whose value is a JSON object or a protobuf message: body to fields and back.

Unknown fields are ignored in both, so that producers may add theirs and we may add ours.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from google.protobuf.message import DecodeError

from consumer.codec.fields import (
    ChunkFields,
    ContentType,
    Word,
    check_integer,
    checked_meta,
    checked_tenant,
    excerpt,
    readable_traceparent,
    word,
)
from consumer.errors import RecordError
from consumer.model import ChunkEvent, Encoding, LevelChoice, Milliseconds
from consumer.pb import records_pb2 as pb

_EVENTS = {
    ChunkEvent.START: pb.CHUNK_EVENT_START,
    ChunkEvent.AUDIO: pb.CHUNK_EVENT_AUDIO,
    ChunkEvent.END: pb.CHUNK_EVENT_END,
}
_ENCODINGS = {
    Encoding.PCM_S16LE: pb.ENCODING_PCM_S16LE,
    Encoding.PCM_S16BE: pb.ENCODING_PCM_S16BE,
    Encoding.PCM_MULAW: pb.ENCODING_PCM_MULAW,
    Encoding.PCM_ALAW: pb.ENCODING_PCM_ALAW,
}
_LEVELS = {
    LevelChoice.SEGMENT: pb.LEVEL_CHOICE_SEGMENT,
    LevelChoice.UTTERANCE: pb.LEVEL_CHOICE_UTTERANCE,
    LevelChoice.ALL: pb.LEVEL_CHOICE_ALL,
}


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON object. audio is base64 with padding."""

    audio: bytes | None = None
    event: str | None = None
    encoding: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    channel: int | None = None
    level: str | None = None
    sequence: int | None = None
    captured_at: int | None = None
    tenant: str | None = None
    meta: dict[str, str] | None = None
    traceparent: str | None = None


_BODY = msgspec.json.Decoder(_Body)


def read_body(content: ContentType, value: bytes) -> tuple[ChunkFields, bytes | None]:
    """What a body says, and its audio; None where a JSON body has no audio. Raises RecordError."""
    return read_json(value) if content is ContentType.JSON else read_protobuf(value)


def write_body(content: ContentType, fields: ChunkFields, audio: bytes) -> bytes:
    """The body that says all this."""
    write = write_json if content is ContentType.JSON else write_protobuf
    return write(fields, audio)


def read_json(value: bytes) -> tuple[ChunkFields, bytes | None]:
    """Fields and audio of a JSON object. Raises RecordError."""
    try:
        body = _BODY.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError("bad-json", str(error)) from error
    check_integer("bad-json", "sequence", body.sequence)
    check_integer("bad-json", "captured_at", body.captured_at)
    fields = ChunkFields(
        event=word(ChunkEvent, "event", body.event) if body.event else None,
        encoding=word(Encoding, "encoding", body.encoding) if body.encoding else None,
        sample_rate=body.sample_rate,
        channels=body.channels,
        channel=body.channel,
        level=word(LevelChoice, "level", body.level) if body.level else None,
        sequence=body.sequence,
        captured_at=_milliseconds(body.captured_at),
        tenant=checked_tenant("bad-json", body.tenant),
        meta=checked_meta(body.meta or {}),
        traceparent=readable_traceparent((body.traceparent or "").encode()),
    )
    return fields, body.audio


def write_json(fields: ChunkFields, audio: bytes) -> bytes:
    """The JSON object that says all this."""
    body = _Body(
        audio=audio,
        event=fields.event,
        encoding=fields.encoding,
        sample_rate=fields.sample_rate,
        channels=fields.channels,
        channel=fields.channel,
        level=fields.level,
        sequence=fields.sequence,
        captured_at=fields.captured_at,
        tenant=fields.tenant,
        meta=dict(fields.meta) or None,
        traceparent=fields.traceparent,
    )
    return msgspec.json.encode(body)


def read_protobuf(value: bytes) -> tuple[ChunkFields, bytes]:
    """Fields and audio of an AudioChunk message. Raises RecordError."""
    try:
        body = pb.AudioChunk.FromString(value)
    except DecodeError as error:
        raise RecordError("bad-protobuf", excerpt(str(error))) from error

    sequence, captured_at = _present(body, "sequence"), _present(body, "captured_at")
    check_integer("bad-protobuf", "sequence", sequence)
    check_integer("bad-protobuf", "captured_at", captured_at)
    fields = ChunkFields(
        event=_known(_EVENTS, "event", body.event),
        encoding=_known(_ENCODINGS, "encoding", body.encoding),
        sample_rate=_present(body, "sample_rate"),
        channels=_present(body, "channels"),
        channel=_present(body, "channel"),
        level=_known(_LEVELS, "level", body.level),
        sequence=sequence,
        captured_at=_milliseconds(captured_at),
        tenant=checked_tenant("bad-protobuf", body.tenant),
        meta=checked_meta(dict(body.meta)),
        traceparent=readable_traceparent(body.traceparent.encode()),
    )
    return fields, body.audio


def write_protobuf(fields: ChunkFields, audio: bytes) -> bytes:
    """The AudioChunk message that says all this."""
    body = pb.AudioChunk(
        audio=audio,
        event=_EVENTS[fields.event] if fields.event else None,
        encoding=_ENCODINGS[fields.encoding] if fields.encoding else None,
        sample_rate=fields.sample_rate,
        channels=fields.channels,
        channel=fields.channel,
        level=_LEVELS[fields.level] if fields.level else None,
        sequence=fields.sequence,
        captured_at=fields.captured_at,
        tenant=fields.tenant,
        meta=fields.meta,
        traceparent=fields.traceparent,
    )
    return body.SerializeToString(deterministic=True)


def _known(table: Mapping[Word, int], name: str, number: int) -> Word | None:
    if number == 0:
        return None
    for member, its_number in table.items():
        if its_number == number:
            return member
    raise RecordError(f"unknown-{name}", f"{number} is no number of the enum")


def _present(
    body: pb.AudioChunk,
    name: Literal["sample_rate", "channels", "channel", "sequence", "captured_at"],
) -> int | None:
    return getattr(body, name) if body.HasField(name) else None


def _milliseconds(number: int | None) -> Milliseconds | None:
    return None if number is None else Milliseconds(number)
