"""The demo's calls: real guises, and a second opinion that the codec must agree with."""

import pytest

from consumer.codec.audio import SessionDecoder
from consumer.codec.fields import ContentType
from consumer.codec.headers import ChunkDefaults
from consumer.codec.records import decode_chunk
from consumer.demo.cast import Part, cast
from consumer.model import (
    AudioChunk,
    ChunkEvent,
    Encoding,
    Milliseconds,
    Offset,
    Outgoing,
    Partition,
    Record,
)

PARTS = cast()


def as_record(offset: int, sent: Outgoing) -> Record:
    place = Partition("calls", 0)
    return Record(place, Offset(offset), Milliseconds(0), sent.key, sent.value, sent.headers)


def chunks(part: Part) -> list[AudioChunk]:
    """The call as the consumer understands its records."""
    records = [record for _, record in part.call.records("calls")]
    defaults = ChunkDefaults()
    return [decode_chunk(as_record(n, record), defaults) for n, record in enumerate(records)]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.call.key)
def test_codec_and_second_opinion_agree(part: Part) -> None:
    """Decoding record by record gives what the independent decoding of the whole gives."""
    decoder = SessionDecoder()
    *spoken, last = chunks(part)
    heard = [decoder.decode(chunk) for chunk in spoken]
    assert b"".join(piece.audio for piece in heard) == part.expected
    assert heard[-1].sample_rate == part.call.guise.format.sample_rate
    assert last.event is ChunkEvent.END


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.call.key)
def test_chunks_are_numbered(part: Part) -> None:
    """Every chunk carries its number and its time of capture."""
    *spoken, _ = chunks(part)
    assert [chunk.sequence for chunk in spoken] == list(range(len(spoken)))
    assert all(chunk.captured_at for chunk in spoken)


def test_every_guise_has_its_call() -> None:
    """All encodings, envelopes, a header, a pair of channels and odd rates are on stage."""
    guises = [part.call.guise for part in PARTS]
    assert len({part.call.key for part in PARTS}) == len(PARTS) >= 8
    assert {guise.format.encoding for guise in guises} == set(Encoding)
    assert {guise.content for guise in guises} == set(ContentType)
    assert any(guise.file for guise in guises)
    assert any(guise.format.channels == 2 for guise in guises)
    assert {8_000, 16_000, 44_100} <= {guise.format.sample_rate for guise in guises}


def test_one_call_is_silent() -> None:
    """Silence must come to its end without results, so one call has nothing else."""
    (silent,) = [part for part in PARTS if not part.speaks]
    assert not any(silent.expected)


def test_calls_fit_into_the_time() -> None:
    """In real time the longest call leaves most of the two minutes unused."""
    assert max(part.call.seconds for part in PARTS) < 30
