"""Reading the output topics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.headers import Header
from consumer.codec.readers import decode_result, decode_session
from consumer.errors import RecordError
from consumer.pb import records_pb2 as pb

PROTOBUF: tuple[Header, ...] = (("content-type", b"application/protobuf"),)


@pytest.mark.parametrize("headers", [(), PROTOBUF])
def test_tombstones(headers: tuple[Header, ...]) -> None:
    """A null value is no result and no session event."""
    for decode in (decode_result, decode_session):
        with pytest.raises(RecordError):
            decode(None, headers)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (pb.SessionEvent(), "doesn't know"),
        (pb.SessionEvent(started=pb.SessionStarted()), "level 0"),
        (pb.SessionEvent(ended=pb.SessionEnded()), "reason 0"),
    ],
)
def test_unknown_session_words(message: pb.SessionEvent, complaint: str) -> None:
    """What a later version may say is refused rather than guessed at."""
    with pytest.raises(RecordError, match=complaint):
        decode_session(message.SerializeToString(), PROTOBUF)


def test_garbage() -> None:
    """Bytes that are no message are told apart from messages of a later version."""
    for decode in (decode_result, decode_session):
        with pytest.raises(RecordError, match="bad-protobuf"):
            decode(b"\xff", PROTOBUF)


@given(st.binary(max_size=60), st.sampled_from([(), PROTOBUF]))
def test_any_value(value: bytes, headers: tuple[Header, ...]) -> None:
    """Foreign records on an output topic are refused, whatever they hold."""
    for decode in (decode_result, decode_session):
        with pytest.raises(RecordError):
            decode(value, headers)
