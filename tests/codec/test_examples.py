"""The codec and the schemas agree with every example, good and bad."""

import base64
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from consumer.codec.fields import ChunkFields, ContentType
from consumer.codec.headers import ChunkDefaults
from consumer.codec.input import encode_chunk
from consumer.codec.letters import encode_letter
from consumer.codec.readers import decode_result, decode_session
from consumer.codec.records import decode_chunk
from consumer.codec.results import PublicationEncoder
from consumer.codec.shapes import EndedShape, OutputFormat, ResultShape, StartedShape
from consumer.errors import RecordError
from consumer.model import (
    AudioChunk,
    DeadLetter,
    Hertz,
    Incarnation,
    Milliseconds,
    Offset,
    Partition,
    Prediction,
    Publication,
    SessionEnded,
    SessionKey,
    SessionResult,
    SessionStarted,
    SessionSummary,
    StreamNumber,
)
from tests.codec.examples import Example, examples, headers, octets, record, schema

KINDS = [
    "audio-chunk.v1",
    "audio-chunk-headers.v1",
    "detection-result.v1",
    "detection-session.v1",
    "dead-letter.v1",
]
PROTOBUF_HEADERS = (("content-type", b"application/protobuf"),)
WHAT_A_SCHEMA_CANT_SAY = {
    # a sum, a relation of two fields, or a number that is written as text
    "channel-out-of-range", "channels-too-many",
    "json-meta-with-headers", "meta-nameless", "meta-too-many", "meta-too-much",
    "sample-rate-too-high", "sample-rate-zero", "sequence-too-big",
}  # fmt: skip


def valid(name: str, instance: object) -> bool:
    return bool(Draft202012Validator(schema(name)).is_valid(instance))


def header_texts(written: Any) -> dict[str, str]:
    return {name.lower(): value.decode("latin-1") for name, value in headers(written)}


def content_type(example: Example) -> str:
    said = header_texts(example["record"]["headers"]).get("content-type")
    return (said or example.get("default_content_type", "raw")).partition(";")[0]


def json_value(example: Example) -> Any:
    """The value that the value's schema speaks of, None where it doesn't."""
    value = example["record"]["value"]
    if value is None or content_type(example) not in ("json", "application/json"):
        return None
    return value.get("json")


def told(chunk: AudioChunk) -> dict[str, Any]:
    return {
        "event": chunk.event,
        "encoding": chunk.format.encoding,
        "sample_rate": chunk.format.sample_rate,
        "channels": chunk.format.channels,
        "channel": chunk.format.channel,
        "level": chunk.level,
        "sequence": chunk.sequence,
        "captured_at": chunk.captured_at,
        "tenant": chunk.tenant,
        "meta": dict(chunk.meta),
        "traceparent": chunk.traceparent,
        "audio": base64.b64encode(chunk.payload).decode(),
    }


@pytest.mark.parametrize("name", KINDS)
def test_schema(name: str) -> None:
    """Every schema is a schema of its dialect, and says its own name."""
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"urn:detection-consumer:{name}"


@pytest.mark.parametrize("example", examples("audio-chunk", "good"))
def test_good_chunk(example: Example) -> None:
    """A good record decodes to the chunk that the example states, and its schemas accept it."""
    defaults = ChunkDefaults(content=ContentType(example.get("default_content_type", "raw")))
    chunk = decode_chunk(record(example["record"]), defaults)
    assert told(chunk) == example["chunk"]
    assert chunk.key == example["record"]["key"]
    assert (chunk.offset, chunk.timestamp) == (1210, 0)
    assert valid("audio-chunk-headers.v1", header_texts(example["record"]["headers"]))
    body = json_value(example)
    assert body is None or valid("audio-chunk.v1", body)


@pytest.mark.parametrize("content", ContentType)
@pytest.mark.parametrize("example", examples("audio-chunk", "good"))
def test_chunk_round_trip(example: Example, content: ContentType) -> None:
    """Written anew in each format, what a good example says is read as before."""
    default = ContentType(example.get("default_content_type", "raw"))
    chunk = decode_chunk(record(example["record"]), ChunkDefaults(content=default))
    fields = ChunkFields(
        event=chunk.event,
        encoding=chunk.format.encoding,
        sample_rate=chunk.format.sample_rate,
        channels=chunk.format.channels,
        channel=chunk.format.channel,
        level=chunk.level,
        sequence=chunk.sequence,
        captured_at=chunk.captured_at,
        tenant=chunk.tenant,
        meta=chunk.meta,
        traceparent=chunk.traceparent,
    )
    written = encode_chunk("calls", chunk.key, chunk.payload, fields, content=content)
    again = record(example["record"])._replace(
        key=written.key, value=written.value, headers=written.headers
    )
    assert decode_chunk(again, ChunkDefaults()) == chunk


@pytest.mark.parametrize("example", examples("audio-chunk", "bad"))
def test_bad_chunk(example: Example) -> None:
    """A bad record is refused for the reason that the example states."""
    with pytest.raises(RecordError) as caught:
        decode_chunk(record(example["record"]), ChunkDefaults())
    assert caught.value.reason == example["reason"]
    assert example.get("detail", "") in caught.value.detail


@pytest.mark.parametrize("example", examples("audio-chunk", "bad"))
def test_bad_chunk_schema(example: Example, request: pytest.FixtureRequest) -> None:
    """A schema refuses what the codec refuses, where it is something that a schema can say."""
    by_headers = valid("audio-chunk-headers.v1", header_texts(example["record"]["headers"]))
    body = json_value(example)
    by_value = body is None or valid("audio-chunk.v1", body)
    beyond = (
        request.node.callspec.id in WHAT_A_SCHEMA_CANT_SAY
        or example["reason"] in ("no-key", "bad-key")
        or content_type(example) == "application/protobuf"
        or (content_type(example) == "application/json" and body is None)
    )
    assert (by_headers and by_value) == beyond


def result_of(shape: ResultShape) -> SessionResult:
    return SessionResult(
        session=SessionKey(shape.session),
        incarnation=incarnation_of(shape),
        stream=StreamNumber(shape.stream),
        cid=shape.cid,
        pid=shape.pid,
        message_id=shape.message_id,
        result_id=shape.result_id,
        task=shape.task,
        level=shape.level,
        start_ms=round(shape.start * 1000),
        end_ms=round(shape.end * 1000),
        final_label=shape.final_label,
        predictions=tuple(Prediction(**msgspec.structs.asdict(p)) for p in shape.predictions),
        embedding=shape.embedding,
        offsets=(Offset(shape.offsets[0]), Offset(shape.offsets[1])),
        captured_at=Milliseconds(shape.captured_at),
        clamped=shape.clamped,
        tenant=shape.tenant,
        meta=shape.meta,
    )


def session_of(shape: StartedShape | EndedShape) -> SessionStarted | SessionEnded:
    if isinstance(shape, StartedShape):
        return SessionStarted(
            session=SessionKey(shape.session),
            incarnation=incarnation_of(shape),
            sample_rate=Hertz(shape.sample_rate),
            level=shape.level,
            timestamp=Milliseconds(shape.timestamp),
            resumed=shape.resumed,
            tenant=shape.tenant,
            meta=shape.meta,
        )
    return SessionEnded(
        session=SessionKey(shape.session),
        incarnation=incarnation_of(shape),
        reason=shape.reason,
        timestamp=Milliseconds(shape.timestamp),
        summary=SessionSummary(**msgspec.structs.asdict(shape.summary)),
        tenant=shape.tenant,
        meta=shape.meta,
    )


def incarnation_of(shape: ResultShape | StartedShape | EndedShape) -> Incarnation:
    place = shape.incarnation
    return Incarnation(place.topic, place.partition, Offset(place.offset))


def check_output(example: Example, publication: Publication) -> None:
    expected = example["record"]
    as_json = PublicationEncoder("detection-results", "detection-sessions")
    out = as_json.encode(publication, example["now_ms"])
    assert json.loads(out.value or b"") == expected["value"]
    assert dict(out.headers) == {n: v.encode() for n, v in expected["headers"].items()}
    assert out.key == expected["key"].encode()
    assert (out.topic, out.partition) == (expected["topic"], expected["partition"])
    in_protobuf = replace(as_json, format=OutputFormat.PROTOBUF)
    out = in_protobuf.encode(publication, example["now_ms"])
    assert out.value == base64.b64decode(example["protobuf"])
    assert dict(out.headers)["content-type"] == b"application/protobuf"
    assert dict(out.headers)["ce_id"] == expected["value"]["id"].encode()


@pytest.mark.parametrize("example", examples("detection-result", "good"))
def test_good_result(example: Example) -> None:
    """A result is read from JSON and protobuf alike, and written as the example states."""
    value = example["record"]["value"]
    assert valid("detection-result.v1", value)
    shape = decode_result(json.dumps(value).encode(), headers(example["record"]["headers"]))
    assert decode_result(base64.b64decode(example["protobuf"]), PROTOBUF_HEADERS) == shape
    check_output(example, result_of(shape))


@pytest.mark.parametrize("example", examples("detection-session", "good"))
def test_good_session(example: Example) -> None:
    """A session event is read from JSON and protobuf alike, and written as the example states."""
    value = example["record"]["value"]
    assert valid("detection-session.v1", value)
    shape = decode_session(json.dumps(value).encode(), headers(example["record"]["headers"]))
    assert decode_session(base64.b64decode(example["protobuf"]), PROTOBUF_HEADERS) == shape
    check_output(example, session_of(shape))


@pytest.mark.parametrize("example", examples("detection-result", "bad"))
def test_bad_result(example: Example) -> None:
    """Neither schema nor reader takes a bad result."""
    assert not valid("detection-result.v1", example["value"])
    with pytest.raises(RecordError, match="bad-json"):
        decode_result(json.dumps(example["value"]).encode(), ())


@pytest.mark.parametrize("example", examples("detection-session", "bad"))
def test_bad_session(example: Example) -> None:
    """Neither schema nor reader takes a bad session event."""
    assert not valid("detection-session.v1", example["value"])
    with pytest.raises(RecordError, match="bad-json"):
        decode_session(json.dumps(example["value"]).encode(), ())


@pytest.mark.parametrize("example", examples("dead-letter", "good"))
def test_good_letter(example: Example) -> None:
    """A dead letter is written as the example states, and its schema accepts it."""
    said, origin, expected = example["letter"], example["origin"], example["record"]
    partition = Partition(said["topic"], said["partition"])
    original = None
    if origin is not None:
        original = record(origin, timestamp=origin["timestamp"])._replace(
            partition=partition, offset=Offset(said["offset"])
        )
    letter = DeadLetter(
        partition=partition,
        offset=Offset(said["offset"]),
        reason=said["reason"],
        detail=said["detail"],
        key=octets(said.get("key")),
        record=original,
        session=said.get("session"),
    )
    out = encode_letter(letter, "calls-dlq")
    assert (out.topic, out.partition) == ("calls-dlq", expected["partition"])
    assert (out.key, out.value) == (octets(expected["key"]), octets(expected["value"]))
    assert list(out.headers) == list(headers(expected["headers"]))
    assert valid("dead-letter.v1", expected["headers"])


@pytest.mark.parametrize("example", examples("dead-letter", "bad"))
def test_bad_letter(example: Example) -> None:
    """The schema refuses headers that tell too little."""
    assert not valid("dead-letter.v1", example["headers"])
