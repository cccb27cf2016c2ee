"""Output records back to their shapes, for those who follow the results and sessions topics.

Unknown fields are ignored; an unknown level, reason or schema version is refused, because guessing
what it means would mislead.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from google.protobuf.message import DecodeError

from consumer.codec.fields import ContentType, excerpt
from consumer.codec.headers import CONTENT_TYPE, MIME, Header
from consumer.codec.messages import result_of, session_of
from consumer.codec.shapes import ResultShape, SessionShape
from consumer.errors import RecordError
from consumer.pb import records_pb2 as pb

Shape = TypeVar("Shape", ResultShape, SessionShape)

_RESULT = msgspec.json.Decoder(ResultShape)
_SESSION: msgspec.json.Decoder[SessionShape] = msgspec.json.Decoder(SessionShape)


def decode_result(value: bytes | None, headers: Sequence[Header]) -> ResultShape:
    """A record of the results topic, JSON unless its header says protobuf. Raises RecordError."""
    return _read(value, headers, _RESULT.decode, _read_result)


def decode_session(value: bytes | None, headers: Sequence[Header]) -> SessionShape:
    """A record of the sessions topic, JSON unless its header says protobuf. Raises RecordError."""
    return _read(value, headers, _SESSION.decode, _read_session)


def _read(
    value: bytes | None,
    headers: Sequence[Header],
    from_json: Callable[[bytes], Shape],
    from_protobuf: Callable[[bytes], Shape],
) -> Shape:
    if dict(headers).get(CONTENT_TYPE) == MIME[ContentType.PROTOBUF]:
        return from_protobuf(value or b"")
    try:
        return from_json(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError("bad-json", str(error)) from error


def _read_result(value: bytes) -> ResultShape:
    try:
        return result_of(pb.DetectionResult.FromString(value))
    except DecodeError as error:
        raise RecordError("bad-protobuf", excerpt(str(error))) from error


def _read_session(value: bytes) -> SessionShape:
    try:
        return session_of(pb.SessionEvent.FromString(value))
    except DecodeError as error:
        raise RecordError("bad-protobuf", excerpt(str(error))) from error
