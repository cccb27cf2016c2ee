"""WAV files in sessions: found, cut, glued together and refused."""

import wave
from dataclasses import replace
from io import BytesIO
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.audio import SessionDecoder
from consumer.codec.wave import HEADER_LIMIT
from consumer.core.events import Decoded
from consumer.errors import RecordError
from consumer.model import AudioFormat, Hertz
from tests.codec.sessions import (
    ALAW,
    DECLARED,
    LIST,
    MONO,
    MULAW,
    SAMPLES,
    STEREO,
    chunk,
    chunks,
    cut,
    decode_all,
    expected,
    heard,
)
from tests.codec.wav import format_chunk, riff_chunk, wav


def test_wav_in_one_record() -> None:
    """A file's format wins over the declared one."""
    (decoded,) = decode_all(chunks([wav(MULAW, SAMPLES, after=LIST)]))
    assert decoded == Decoded(expected(MULAW, SAMPLES), Hertz(8000))


def test_wav_of_another_writer() -> None:
    """A file that the standard library wrote is read."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(SAMPLES)
    decoded = decode_all(chunks(cut(file.getvalue(), [50, 101])))
    assert heard(decoded) == expected(STEREO, SAMPLES)


@pytest.mark.parametrize("audio_format", [MONO, STEREO, MULAW, ALAW])
def test_wav_extensible(audio_format: AudioFormat) -> None:
    """The extensible form of a header is read too."""
    decoded = decode_all(chunks([wav(audio_format, SAMPLES, extensible=True)]))
    assert heard(decoded) == expected(audio_format, SAMPLES)


def test_wav_declared_channel() -> None:
    """A file doesn't say which channel is wanted; the declared one counts."""
    declared = replace(DECLARED, channels=2, channel=1)
    decoded = decode_all(chunks([wav(STEREO, SAMPLES)], declared))
    assert heard(decoded) == expected(replace(STEREO, channel=1), SAMPLES)


def test_wav_odd_data() -> None:
    """A data chunk that ends inside a frame loses that frame, not what follows."""
    first = wav(ALAW, SAMPLES[:7])
    decoded = decode_all(chunks([first, wav(ALAW, SAMPLES)]))
    assert heard(decoded) == expected(ALAW, SAMPLES[:6]) + expected(ALAW, SAMPLES)
    assert not decoded[0].open


def test_wav_after_wav() -> None:
    """A record that starts with a header begins a new file, even before the old one's end."""
    parts = [wav(MONO, SAMPLES, size=0), b"\1", wav(MULAW, SAMPLES), wav(MONO, SAMPLES)]
    records = chunks(parts)
    decoder = SessionDecoder()
    decoded = [decoder.decode(record) for record in records]
    assert heard(decoded) == SAMPLES + expected(MULAW, SAMPLES) + SAMPLES
    assert [one.sample_rate for one in decoded] == [44_100, 44_100, 8000, 44_100]
    assert [decoder.again(record) for record in records] == decoded


@given(st.lists(st.integers(0, 600), max_size=12))
def test_files_glued_together(places: list[int]) -> None:
    """Files in one stream are told apart by their sizes, wherever it is cut."""
    file = wav(MONO, SAMPLES, after=LIST)
    stream = file + file
    records = chunks(cut(stream, [place for place in places if place <= len(stream)]))
    assert heard(decode_all(records)) == SAMPLES * 2


def test_files_of_two_formats_glued_together() -> None:
    """Files of different formats are read if a record doesn't hold audio of both."""
    first, second = wav(MONO, SAMPLES), wav(MULAW, SAMPLES)
    between = len(first) + 20
    decoded = decode_all(chunks(cut(first + second, [between])))
    assert heard(decoded) == SAMPLES + expected(MULAW, SAMPLES)
    with pytest.raises(RecordError, match="different formats in one record"):
        decode_all(chunks([first + second]))


def test_plain_audio_after_wav_format() -> None:
    """Records between two files decode again in the format of their own file."""
    decoder = SessionDecoder()
    records = chunks([wav(MULAW, b"", size=0), SAMPLES, wav(ALAW, b"", size=0), SAMPLES])
    decoded = [decoder.decode(record) for record in records]
    assert [decoder.again(record) for record in records] == decoded
    assert decoded[1].audio != decoded[3].audio
    decoder.forget(records[3].offset)
    assert decoder.again(records[3]) == decoded[3]


@pytest.mark.parametrize("start", [b"RI", b"RIFF", b"RIFF12345", b"RIFF1234WAVX", b"Og", b"fLaX"])
def test_audio_that_looks_like_a_file(start: bytes) -> None:
    """Audio may begin like a file; it is held back only until that is settled."""
    audio = start + SAMPLES
    for place in range(len(start) + 1):
        assert heard(decode_all(chunks(cut(audio, [place])))) == expected(DECLARED, audio)


def test_riff_inside_audio() -> None:
    """Audio in mid-call that starts with RIFF is audio without the rest of a preamble."""
    audio = b"RIFF" + SAMPLES
    assert heard(decode_all(chunks([SAMPLES, audio]))) == SAMPLES + audio


@pytest.mark.parametrize("magic", [b"RF64", b"RIFX", b"FORM", b"OggS", b"fLaC", b"\x1aE\xdf\xa3"])
def test_foreign_files(magic: bytes) -> None:
    """Files of other kinds are refused at the session's start, not heard as noise."""
    with pytest.raises(RecordError, match="can't be read; supported are") as caught:
        decode_all(chunks(cut(magic + SAMPLES, [3])))
    assert caught.value.reason == "bad-audio"


def header(tag: int, bits: int, *, channels: int = 1, rate: int = 8000) -> bytes:
    body = pack("<HHIIHH", tag, channels, rate, 0, 0, bits)
    return b"RIFF\0\0\0\0WAVE" + riff_chunk(b"fmt ", body) + b"data\0\0\0\0"


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (header(1, 8), "format tag 1 with 8 bits"),
        (header(1, 24), "format tag 1 with 24 bits"),
        (header(3, 32), "format tag 3 with 32 bits"),
        (header(7, 16), "format tag 7 with 16 bits"),
        (header(0xFFFE, 16), "format tag 65534 with 16 bits"),
        (header(1, 16, rate=0), "sample rate 0 Hz"),
        (header(1, 16, channels=0), "0 channels"),
        (header(1, 16, channels=65), "65 channels"),
        (b"RIFF\0\0\0\0WAVEfmt \x0c\0\0\0" + bytes(12), "a WAV format of 12 bytes"),
        (b"RIFF\0\0\0\0WAVEfmt \xff\xff\0\0" + bytes(12), "a WAV format of 65535 bytes"),
        (b"RIFF\0\0\0\0WAVE" + riff_chunk(b"data", SAMPLES), "audio before its format"),
        (
            b"RIFF\0\0\0\0WAVE" + format_chunk(MONO) + b"junk" + pack("<I", HEADER_LIMIT),
            f"no audio within {HEADER_LIMIT} bytes",
        ),
    ],
)
def test_refused_files(file: bytes, complaint: str) -> None:
    """A file that can't be read is refused with what is wrong and what is supported."""
    with pytest.raises(RecordError) as caught:
        decode_all(chunks([file + SAMPLES]))
    assert caught.value.reason == "bad-audio"
    assert complaint in caught.value.detail
    assert "supported are raw audio and WAV files" in caught.value.detail


def test_refused_channel() -> None:
    """A declared channel that a file doesn't have is refused."""
    with pytest.raises(RecordError, match="channel 1 is not within"):
        decode_all(chunks([wav(MONO, SAMPLES)], replace(DECLARED, channels=2, channel=1)))


def test_refusal_lasts() -> None:
    """The rest of a refused file is refused too, until a file or format begins that can be read."""
    decoder = SessionDecoder()
    for record in chunks([header(3, 32), SAMPLES, b""]):
        with pytest.raises(RecordError, match="format tag 3"):
            decoder.decode(record)
    assert decoder.decode(chunk(40, wav(MONO, SAMPLES))).audio == SAMPLES
    with pytest.raises(RecordError, match="Ogg"):
        decoder.decode(chunk(50, b"OggS" + SAMPLES, MONO))
    assert decoder.decode(chunk(60, SAMPLES)).audio == SAMPLES


@given(
    st.binary(max_size=80).filter(lambda body: b"WAVE" not in body),
    st.lists(st.integers(0, 92), max_size=5),
)
def test_any_file(body: bytes, places: list[int]) -> None:
    """Whatever follows a WAV preamble, no cut of it changes what is heard or refused."""

    def outcome(parts: list[bytes]) -> bytes | None:
        try:
            return heard(decode_all(chunks(parts)))
        except RecordError:
            return None

    file = b"RIFF\0\0\0\0WAVE" + body
    assert outcome(cut(file, [p for p in places if p <= len(file)])) == outcome([file])
