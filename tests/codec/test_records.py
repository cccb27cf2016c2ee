"""Any record becomes a chunk or a RecordError."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.codec.fields import ChunkFields, ContentType
from consumer.codec.headers import ChunkDefaults
from consumer.codec.input import encode_chunk
from consumer.codec.records import decode_chunk, session_key
from consumer.errors import RecordError
from consumer.model import (
    AudioFormat,
    ChunkEvent,
    Encoding,
    Hertz,
    LevelChoice,
    Milliseconds,
    Offset,
    Partition,
    Record,
    SessionKey,
)
from tests.codec.test_headers import fields

REASONS = {
    "no-key", "bad-key", "bad-header", "bad-meta", "bad-format", "bad-json", "bad-protobuf",
    "unknown-content-type", "unknown-event", "unknown-encoding", "unknown-level",
}  # fmt: skip
NAMES = [
    "event", "encoding", "sample-rate", "channels", "channel", "level", "sequence", "captured-at",
    "tenant", "meta-a", "Meta-", "traceparent", "content-type", "other",
]  # fmt: skip
WORDS = [
    b"start", b"end", b"pcm_mulaw", b"8000", b"0", b"2", b"segment", b"application/json",
    b"application/protobuf", b"audio/basic", b"", b"99999999999999999999",
]  # fmt: skip


def record(
    value: bytes | None, headers: tuple[tuple[str, bytes], ...] = (), key: bytes | None = b"call-1"
) -> Record:
    return Record(Partition("calls", 0), Offset(5), Milliseconds(6), key, value, headers)


bodies = st.binary(max_size=60) | st.builds(
    lambda tree: json.dumps(tree).encode(),
    st.dictionaries(
        st.sampled_from(["audio", "event", "sample_rate", "channel", "sequence", "tenant", "meta"]),
        st.none()
        | st.integers()
        | st.sampled_from(["AAAA", "end", ""])
        | st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
    ),
)
header_pairs = st.tuples(
    st.sampled_from(NAMES) | st.text(max_size=20), st.sampled_from(WORDS) | st.binary(max_size=20)
)


@given(
    st.none() | st.binary(max_size=300),
    st.none() | bodies,
    st.lists(header_pairs, max_size=8).map(tuple),
    st.sampled_from(ContentType),
)
@example(b"k", b'{"x":' * 100_000, (), ContentType.JSON)
@example(b"k", b"9" * 10_000, (("sample-rate", b"9" * 10_000),), ContentType.RAW)
@example(b"k", b"", (("meta-\ud800", b"x"),), ContentType.RAW)
def test_any_record(
    key: bytes | None,
    value: bytes | None,
    headers: tuple[tuple[str, bytes], ...],
    content: ContentType,
) -> None:
    """Whatever bytes come, nothing but a chunk or a RecordError with a known reason comes out."""
    refusal = None
    try:
        chunk = decode_chunk(record(value, headers, key), ChunkDefaults(content=content))
    except RecordError as error:
        refusal = error
    if refusal is None:
        assert chunk.key.encode() == key
        assert value is not None or chunk.event is ChunkEvent.END
    else:
        assert refusal.reason in REASONS
        assert len(refusal.detail) < 400
        assert refusal.detail.isprintable()


@given(fields, st.binary(max_size=50), st.sampled_from(ContentType))
def test_round_trip(said: ChunkFields, payload: bytes, content: ContentType) -> None:
    """What is written in any format is read from it, with defaults for what was left out."""
    defaults = ChunkDefaults(
        AudioFormat(Encoding.PCM_ALAW, Hertz(11_025)), LevelChoice.SEGMENT, ContentType.JSON
    )
    out = encode_chunk("calls", SessionKey("a"), payload, said, content=content, partition=3)
    assert (out.topic, out.partition, out.key) == ("calls", 3, b"a")
    chunk = decode_chunk(record(out.value, out.headers), defaults)
    assert chunk.payload == payload
    assert chunk.event == said.event or (said.event is None and chunk.event is ChunkEvent.AUDIO)
    assert chunk.format == said.format(defaults.format)
    assert chunk.level == (said.level or LevelChoice.SEGMENT)
    assert (chunk.sequence, chunk.captured_at) == (said.sequence, said.captured_at)
    assert (chunk.tenant, chunk.traceparent) == (said.tenant, said.traceparent)
    assert chunk.meta == said.meta


@pytest.mark.parametrize("content", ContentType)
def test_end_mark(content: ContentType) -> None:
    """An end mark without audio has a null value and keeps its fields, in every format."""
    out = encode_chunk("calls", SessionKey("a"), None, ChunkFields(sequence=4), content=content)
    chunk = decode_chunk(record(out.value, out.headers), ChunkDefaults())
    assert out.value is None
    assert (chunk.event, chunk.sequence, chunk.payload) == (ChunkEvent.END, 4, b"")


def test_payload_uncopied() -> None:
    """Raw audio is handed on as it came."""
    audio = bytes(1000)
    assert decode_chunk(record(audio), ChunkDefaults()).payload is audio


def test_shared_meta_is_read_only() -> None:
    """Chunks share what was understood of their headers, so nobody may write to it."""
    chunk = decode_chunk(record(b"", (("meta-a", b"x"),)), ChunkDefaults())
    with pytest.raises(TypeError):
        chunk.meta["a"] = "y"  # type: ignore[index] # that is what must fail


@pytest.mark.parametrize("key", [b"k" * 256, "κ".encode() * 128, b"\0"])
def test_keys(key: bytes) -> None:
    """Keys are any UTF-8 text of up to 256 bytes."""
    assert session_key(key).encode() == key


def test_bad_bodies_say_where() -> None:
    """The detail names the field that is wrong, for the person who reads the dead letter."""
    with pytest.raises(RecordError, match=r"\$\.sequence"):
        decode_chunk(record(b'{"sequence":"x"}'), ChunkDefaults(content=ContentType.JSON))
