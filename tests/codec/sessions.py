"""Sessions of records for the tests: cutting, decoding, and what should come out."""

from collections.abc import Iterable
from itertools import pairwise

from consumer.codec.audio import SessionDecoder
from consumer.codec.samples import Transcoder
from consumer.core.events import Decoded
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
from tests.codec.wav import riff_chunk

DECLARED = AudioFormat()
MONO = AudioFormat(Encoding.PCM_S16LE, Hertz(44_100))
STEREO = AudioFormat(Encoding.PCM_S16LE, Hertz(8000), 2)
MULAW = AudioFormat(Encoding.PCM_MULAW, Hertz(8000))
ALAW = AudioFormat(Encoding.PCM_ALAW, Hertz(8000), 2)
SAMPLES = bytes(range(1, 201))
LIST = riff_chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0")


def chunk(
    offset: int,
    payload: bytes,
    audio_format: AudioFormat = DECLARED,
    event: ChunkEvent = ChunkEvent.AUDIO,
) -> AudioChunk:
    return AudioChunk(
        key=SessionKey("call-1"),
        offset=Offset(offset),
        timestamp=Milliseconds(0),
        event=event,
        payload=payload,
        format=audio_format,
        level=LevelChoice.ALL,
    )


def chunks(parts: Iterable[bytes], audio_format: AudioFormat = DECLARED) -> list[AudioChunk]:
    return [chunk(10 * number, part, audio_format) for number, part in enumerate(parts)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def decode_all(records: Iterable[AudioChunk]) -> list[Decoded]:
    decoder = SessionDecoder()
    return [decoder.decode(record) for record in records]


def heard(decoded: Iterable[Decoded]) -> bytes:
    return b"".join(one.audio for one in decoded)


def expected(audio_format: AudioFormat, audio: bytes) -> bytes:
    way = Transcoder(audio_format)
    return way.decode(audio[: len(audio) - len(audio) % way.frame_bytes])
