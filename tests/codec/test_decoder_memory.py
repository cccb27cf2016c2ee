"""A session's decoder goes on under another owner, wherever the records were cut."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.audio import SessionDecoder
from consumer.core.checkpoint import DecoderMemory
from consumer.core.events import Decoded
from consumer.errors import RecordError
from consumer.model import (
    AudioChunk,
    AudioFormat,
    ChunkEvent,
    Encoding,
    Hertz,
    LevelChoice,
    Milliseconds,
    Offset,
    SessionKey,
)

PCM = AudioFormat()
STEREO = AudioFormat(Encoding.PCM_S16BE, Hertz(8000), 2, 1)


def wav(samples: bytes, extra: bytes = b"") -> bytes:
    """A file of 8 kHz mono audio."""
    layout = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + layout + extra
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunks(data: bytes, cuts: list[int], audio_format: AudioFormat = PCM) -> list[AudioChunk]:
    """The bytes as records, cut at these places."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [
        AudioChunk(
            key=SessionKey("call"),
            offset=Offset(10 + number),
            timestamp=Milliseconds(0),
            event=ChunkEvent.AUDIO,
            payload=data[start:end],
            format=audio_format,
            level=LevelChoice.ALL,
        )
        for number, (start, end) in enumerate(pairwise(places))
    ]


def decode(decoder: SessionDecoder, chunk: AudioChunk) -> Decoded | str:
    """What comes out, or why nothing does."""
    try:
        return decoder.decode(chunk)
    except RecordError as error:
        return error.reason


@given(
    data=st.sampled_from(
        [
            bytes(range(200)),
            wav(bytes(range(100))),
            wav(bytes(60)) + wav(bytes(range(40))),
            wav(bytes(60), b"LIST" + struct.pack("<I", 5) + bytes(6)) + b"RIFX" + bytes(30),
            b"OggS" + bytes(100),
        ]
    ),
    cuts=st.lists(st.integers(1, 260), max_size=12),
    audio_format=st.sampled_from([PCM, STEREO]),
    split=st.integers(0, 13),
)
def test_records_read_again_decode_as_before(
    data: bytes, cuts: list[int], audio_format: AudioFormat, split: int
) -> None:
    """From any record on, with what was known before it."""
    records = chunks(data, cuts, audio_format)
    first = SessionDecoder()
    expected = [decode(first, chunk) for chunk in records]
    below = min(split, len(records))
    first.forget(Offset(10 + below))
    second = SessionDecoder(first.memory)
    assert [decode(second, chunk) for chunk in records[below:]] == expected[below:]
    assert second.memory == first.memory


def test_raw_audio_always_looks_the_same() -> None:
    """So nothing piles up, however long a call is."""
    decoder = SessionDecoder()
    memories = set()
    for chunk in chunks(bytes(4000), list(range(160, 4000, 160))):
        decoder.decode(chunk)
        decoder.forget(Offset(chunk.offset + 1))
        memories.add(decoder.memory)
    assert len(memories) == 1


def test_a_decoder_that_has_seen_nothing_remembers_nothing() -> None:
    """A new session's checkpoint is like none."""
    fresh = SessionDecoder().memory
    assert SessionDecoder(fresh).memory == fresh
    assert SessionDecoder(DecoderMemory()).memory == fresh


def test_a_refusal_is_remembered() -> None:
    """A file that can't be read does not become audio under another owner."""
    first = SessionDecoder()
    bad, more = chunks(b"OggS" + bytes(100), [50])
    assert decode(first, bad) == "bad-audio"
    first.forget(more.offset)
    with pytest.raises(RecordError, match="Ogg"):
        SessionDecoder(first.memory).decode(more)
