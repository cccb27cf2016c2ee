"""Publications on their way out."""

from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.readers import decode_result
from consumer.codec.results import PublicationEncoder, result_id, result_shape, rfc3339
from consumer.codec.shapes import OutputFormat
from consumer.model import (
    Incarnation,
    Level,
    Milliseconds,
    Offset,
    Prediction,
    SessionKey,
    SessionResult,
    StreamNumber,
)

RESULT = SessionResult(
    session=SessionKey("call-1"),
    incarnation=Incarnation("calls", 3, Offset(1200)),
    stream=StreamNumber(1),
    cid=1,
    pid=8,
    message_id=2,
    result_id="14",
    task="deepfake",
    level=Level.UTTERANCE,
    start_ms=1500,
    end_ms=9000,
    final_label="bonafide",
    predictions=(Prediction("bonafide", 0.9),),
    embedding=None,
    offsets=(Offset(1200), Offset(1236)),
    captured_at=Milliseconds(1_700_000_000_000),
)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
results = st.builds(
    SessionResult,
    session=st.text(min_size=1, max_size=20).map(SessionKey),
    incarnation=st.builds(
        Incarnation, st.text("ab.-_"), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1)
    ),
    stream=st.integers(0, 2**31).map(StreamNumber),
    cid=st.integers(-(2**63), 2**63 - 1),
    pid=st.integers(-(2**63), 2**63 - 1),
    message_id=st.integers(-(2**31), 2**31 - 1),
    result_id=st.text(),
    task=st.text(),
    level=st.sampled_from(Level),
    start_ms=st.integers(0, 10**11),
    end_ms=st.integers(0, 10**11),
    final_label=st.text(),
    predictions=st.lists(
        st.builds(Prediction, st.text(), numbers, numbers, numbers), max_size=3
    ).map(tuple),
    embedding=st.none() | st.text(),
    offsets=st.tuples(st.integers(0, 2**63 - 1).map(Offset), st.integers(0, 2**63 - 1).map(Offset)),
    captured_at=st.integers(-1, 2**53).map(Milliseconds),
    clamped=st.booleans(),
    tenant=st.none() | st.text(),
    meta=st.dictionaries(st.text(), st.text(), max_size=3),
)


@given(results, st.sampled_from(OutputFormat), st.integers(0, 2**53))
def test_round_trip(result: SessionResult, output: OutputFormat, now_ms: int) -> None:
    """What is written in either format is read from it, to the last bit."""
    out = PublicationEncoder("results", "sessions", output).encode(result, now_ms)
    shape = decode_result(out.value, out.headers)
    assert shape == result_shape(result, now_ms)
    assert (round(shape.start * 1000), round(shape.end * 1000)) == (result.start_ms, result.end_ms)
    assert shape.latency_ms == now_ms - result.captured_at
    assert out.key == result.session.encode()


def test_id_recipe() -> None:
    """The id is made as the contract says, so that others can make it too."""
    text = "call-1\0calls:3:1200\0deepfake\0utterance\x001500\x009000\0"
    assert result_id(RESULT) == sha256(text.encode()).hexdigest()[:32]


@pytest.mark.parametrize(
    "other",
    [
        replace(RESULT, session=SessionKey("call-2")),
        replace(RESULT, incarnation=Incarnation("calls", 3, Offset(1201))),
        replace(RESULT, task="gender"),
        replace(RESULT, level=Level.SEGMENT),
        replace(RESULT, start_ms=1501),
        replace(RESULT, end_ms=9001),
    ],
)
def test_other_ids(other: SessionResult) -> None:
    """Another finding has another id."""
    assert result_id(other) != result_id(RESULT)


def test_same_id() -> None:
    """The same finding has the same id, whichever stream brought it and whenever."""
    later = replace(
        RESULT, stream=StreamNumber(2), pid=9, message_id=0, result_id="3", clamped=True
    )
    assert result_id(later) == result_id(RESULT)


def test_source() -> None:
    """The source of events is what the operator says."""
    out = PublicationEncoder("results", "sessions", source="/here").encode(RESULT, 0)
    assert ("ce_source", b"/here") in out.headers


def test_schema_comes_first() -> None:
    """A person who looks at a value sees at once what it is."""
    out = PublicationEncoder("results", "sessions").encode(RESULT, 0)
    assert out.value is not None
    assert next(iter(msgspec.json.decode(out.value))) == "schema"


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times(time_ms: int, text: str) -> None:
    """Times are RFC 3339 with milliseconds; impossible ones are held at the ends."""
    assert rfc3339(time_ms) == text
