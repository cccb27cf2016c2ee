"""Headers of input records: names, limits, cache."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.fields import ChunkFields, ContentType, readable_traceparent
from consumer.codec.headers import ChunkDefaults, sort_headers, understand, write_headers
from consumer.errors import RecordError
from consumer.model import ChunkEvent, Encoding, LevelChoice, Milliseconds

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def printable(most: int, least: int = 1) -> st.SearchStrategy[str]:
    return st.text(
        st.characters(min_codepoint=32, max_codepoint=126), min_size=least, max_size=most
    )


fields = st.builds(
    ChunkFields,
    event=st.none() | st.sampled_from(ChunkEvent),
    encoding=st.none() | st.sampled_from(Encoding),
    sample_rate=st.none() | st.integers(1, 384_000),
    channels=st.none() | st.integers(1, 64),
    channel=st.none() | st.just(0),
    level=st.none() | st.sampled_from(LevelChoice),
    sequence=st.none() | st.integers(0, 2**63 - 1),
    captured_at=st.none() | st.builds(Milliseconds, st.integers(0, 2**63 - 1)),
    tenant=st.none() | printable(20),
    meta=st.dictionaries(printable(8), printable(20), max_size=4),
    traceparent=st.none() | st.just(TRACE.decode()),
)


@given(fields)
def test_round_trip(said: ChunkFields) -> None:
    """Fields that were written to headers are read from them."""
    steady, sequence, captured_at, traceparent = sort_headers(write_headers(said))
    read = understand(steady, ChunkDefaults()).fields
    assert (sequence, captured_at) == (said.sequence, said.captured_at)
    assert traceparent == said.traceparent
    assert read == ChunkFields(
        event=said.event,
        encoding=said.encoding,
        sample_rate=said.sample_rate,
        channels=said.channels,
        channel=said.channel,
        level=said.level,
        tenant=said.tenant,
        meta=said.meta,
    )


def test_sorting() -> None:
    """Headers that change from record to record are kept out of the cache's key."""
    headers = (
        ("Event", b"audio"),
        ("SEQUENCE", b"7"),
        ("b3", b"1"),
        ("captured-at", b"99"),
        ("meta-a", b"x"),
        ("traceparent", TRACE),
        ("event-of-another-system-with-a-long-name", b"\xff"),
    )
    assert sort_headers(headers) == (
        (("Event", b"audio"), ("meta-a", b"x")),
        7,
        99,
        TRACE.decode(),
    )


def test_repeated_numbers() -> None:
    """Of a repeated header the last one with a value counts."""
    headers = (("sequence", b"7"), ("sequence", b"8"), ("sequence", b""))
    assert sort_headers(headers)[1] == 8


def test_cache() -> None:
    """A combination that was understood is not worked out again; a bad one is refused again."""
    defaults = ChunkDefaults()
    good = (("encoding", b"pcm_alaw"), ("sample-rate", b"8000"))
    same = tuple((name, bytes(bytearray(value))) for name, value in good)
    assert understand(good, defaults) is understand(same, defaults)
    assert understand(good, defaults) is not understand(good, ChunkDefaults())
    for _ in range(2):
        with pytest.raises(RecordError, match="unknown-encoding"):
            understand((("encoding", b"pcm"),), defaults)
    assert (understand.cache_info().maxsize or 0) > 0


def test_count_limit() -> None:
    """A record may not carry any number of our headers."""
    understand((("event", b"audio"),) * 64, ChunkDefaults())
    with pytest.raises(RecordError, match="bad-header: more than 64 headers"):
        understand((("event", b"audio"),) * 65, ChunkDefaults())


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (b"audio/L16; rate=8000", ContentType.RAW),
        (b"Application/JSON ; charset=utf-8", ContentType.JSON),
        (b"application/x-protobuf;messageType=x", ContentType.PROTOBUF),
    ],
)
def test_content_types(text: bytes, content: ContentType) -> None:
    """Content types are compared without parameters and case."""
    assert understand((("content-type", text),), ChunkDefaults()).content is content


def test_default_channel() -> None:
    """A record with fewer channels than the default's channel needs is heard on its first one."""
    stereo = ChunkDefaults(ChunkFields(channels=2, channel=1).format(ChunkDefaults().format))
    plain = understand((("channels", b"1"),), stereo).plain
    assert plain is not None
    assert plain.format.channel == 0
    plain = understand((("channels", b"4"),), stereo).plain
    assert plain is not None
    assert plain.format.channel == 1


@pytest.mark.parametrize(
    "value",
    [
        b"",
        TRACE + b"0",
        TRACE.upper(),
        TRACE.replace(b"-", b"0"),
        b"ff" + TRACE[2:],
        b"00-" + b"0" * 32 + TRACE[35:],
        TRACE[:36] + b"0" * 16 + TRACE[52:],
        b"0-" + TRACE[2:3] + TRACE[3:],
        TRACE[:10] + b"-" + TRACE[11:],
    ],
)
def test_malformed_traceparent(value: bytes) -> None:
    """A trace context that breaks its rules is none."""
    assert readable_traceparent(TRACE) == TRACE.decode()
    assert readable_traceparent(value) is None
