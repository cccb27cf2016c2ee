"""Sessions of records to samples: splits, WAV files, changes of format, and all of it again."""

import itertools
import wave
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.audio import SessionDecoder
from consumer.codec.samples import Transcoder
from consumer.codec.wave import HEADER_LIMIT
from consumer.core.events import Decoded, Decoder
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
from tests.codec.wav import format_chunk, riff_chunk, wav

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
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def decode_all(records: Iterable[AudioChunk]) -> list[Decoded]:
    decoder = SessionDecoder()
    return [decoder.decode(record) for record in records]


def heard(decoded: Iterable[Decoded]) -> bytes:
    return b"".join(one.audio for one in decoded)


def expected(audio_format: AudioFormat, audio: bytes) -> bytes:
    way = Transcoder(audio_format)
    return way.decode(audio[: len(audio) - len(audio) % way.frame_bytes])


formats = st.builds(
    lambda encoding, rate, channels: AudioFormat(encoding, Hertz(rate), channels, channels - 1),
    st.sampled_from(Encoding),
    st.sampled_from([8000, 16_000]),
    st.integers(1, 3),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, AudioFormat, AudioFormat, bytes]:
    """Bytes, the declared format, the format that governs, and the audio in it."""
    declared = draw(formats)
    audio = draw(st.binary(max_size=120))
    if draw(st.booleans()):
        return audio, declared, declared, audio
    inner = AudioFormat(
        draw(st.sampled_from([Encoding.PCM_S16LE, Encoding.PCM_MULAW, Encoding.PCM_ALAW])),
        Hertz(draw(st.sampled_from([8000, 22_050]))),
        draw(st.integers(declared.channel + 1, 4)),
        declared.channel,
    )
    before = draw(st.sampled_from([b"", LIST, riff_chunk(b"fact", b"1234") + LIST]))
    endless = draw(st.sampled_from([None, 0, 0xFFFFFFFF]))
    after = draw(st.sampled_from([b"", LIST])) if endless is None and audio else b""
    extensible = draw(st.booleans())
    data = wav(inner, audio, size=endless, before=before, after=after, extensible=extensible)
    return data, declared, inner, audio


@given(streams(), st.data())
def test_cuts(stream: tuple[bytes, AudioFormat, AudioFormat, bytes], data: st.DataObject) -> None:
    """However a stream is cut into records, the same frames come out, and again the same."""
    octets, declared, governing, audio = stream
    places = data.draw(st.lists(st.integers(0, len(octets)), max_size=12))
    records = chunks(cut(octets, places), declared)
    decoder = SessionDecoder()
    decoded = [decoder.decode(record) for record in records]
    assert heard(decoded) == expected(governing, audio)
    assert {one.sample_rate for one in decoded if one.audio} <= {governing.sample_rate}
    again = data.draw(st.permutations(range(len(records))))
    assert {place: decoder.again(records[place]) for place in again} == dict(enumerate(decoded))


@given(streams(), st.data())
def test_forget(stream: tuple[bytes, AudioFormat, AudioFormat, bytes], data: st.DataObject) -> None:
    """What is forgotten below an offset changes nothing from that offset on."""
    octets, declared, _, _ = stream
    places = data.draw(st.lists(st.integers(0, len(octets)), min_size=1, max_size=12))
    records = chunks(cut(octets, places), declared)
    decoder = SessionDecoder()
    decoded = [decoder.decode(record) for record in records]
    first = data.draw(st.integers(0, len(records) - 1))
    decoder.forget(records[first].offset)
    assert [decoder.again(record) for record in records[first:]] == decoded[first:]


def test_protocol() -> None:
    """The session decoder is what the core asks for."""
    decoder: Decoder = SessionDecoder()
    assert decoder.decode(chunk(0, b"")) == Decoded(b"", DECLARED.sample_rate)


def test_passthrough() -> None:
    """Plain audio is handed on without a copy, and nothing is remembered of it."""
    decoder = SessionDecoder()
    records = chunks([SAMPLES] * 50)
    decoded = [decoder.decode(record) for record in records]
    assert all(one.audio is SAMPLES for one in decoded[1:])
    assert decoder.again(records[7]) == Decoded(SAMPLES, Hertz(16_000))
    assert not decoder._splices
    assert len(decoder._formats) == 1


def test_open_frame() -> None:
    """A record that ends inside a frame is open until the frame is complete."""
    decoded = decode_all(chunks([b"\1\2\3", b"", b"\4\5\6"]))
    assert [(one.audio, one.open) for one in decoded] == [
        (b"\1\2", True),
        (b"", True),
        (b"\3\4\5\6", False),
    ]


def test_open_header() -> None:
    """A record that ends inside a WAV header is open; one that ends in its audio is not."""
    file = wav(MONO, SAMPLES, before=LIST)
    header = len(file) - len(SAMPLES)
    decoded = decode_all(chunks(cut(file, [5, 15, 40, header, header + 10])))
    assert [one.open for one in decoded] == [True, True, True, False, False, False]
    assert heard(decoded) == SAMPLES


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


def test_changed_format() -> None:
    """A changed declaration ends a file and drops an unfinished frame of the old format."""
    parts = [
        chunk(0, wav(MONO, SAMPLES, size=0)),
        chunk(1, b"\1"),
        chunk(2, SAMPLES, MULAW),
        chunk(3, wav(MONO, SAMPLES, size=0), replace(MULAW, sample_rate=Hertz(16_000))),
    ]
    decoded = decode_all(parts)
    assert [one.audio for one in decoded] == [SAMPLES, b"", expected(MULAW, SAMPLES), SAMPLES]
    assert [one.sample_rate for one in decoded] == [44_100, 44_100, 8000, 44_100]


def test_start_event() -> None:
    """A start event begins anew: what follows is no longer of the file before."""
    parts = [
        chunk(0, wav(MULAW, SAMPLES, size=0)),
        chunk(1, SAMPLES, event=ChunkEvent.START),
        chunk(2, SAMPLES),
    ]
    decoded = decode_all(parts)
    assert [one.sample_rate for one in decoded] == [8000, 16_000, 16_000]
    assert heard(decoded) == expected(MULAW, SAMPLES) + SAMPLES * 2


def test_equal_format() -> None:
    """An equal declaration is no change, though it be another object."""
    parts = [chunk(0, wav(MULAW, SAMPLES, size=0)), chunk(1, SAMPLES, AudioFormat())]
    assert heard(decode_all(parts)) == expected(MULAW, SAMPLES * 2)


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


def test_bounded_memory() -> None:
    """Settled records leave nothing behind, whatever they needed."""
    decoder = SessionDecoder()
    for offset in range(2000):
        payload = wav(STEREO, SAMPLES) if offset % 100 == 0 else b"\1\2\3"
        decoder.decode(chunk(offset, payload))
        decoder.forget(Offset(offset - 10))
        assert len(decoder._splices) <= 11
        assert len(decoder._formats) <= 2


@given(st.lists(st.tuples(st.binary(max_size=60), formats, st.sampled_from(ChunkEvent))))
def test_any_bytes(records: list[tuple[bytes, AudioFormat, ChunkEvent]]) -> None:
    """Whatever comes, it is decoded to whole frames or refused with a RecordError."""
    decoder = SessionDecoder()
    for offset, (payload, audio_format, event) in enumerate(records):
        record = chunk(offset, payload, audio_format, event)
        try:
            decoded = decoder.decode(record)
        except RecordError:
            continue
        assert len(decoded.audio) % 2 == 0
        assert decoder.again(record) == decoded


@given(st.binary(max_size=80), st.lists(st.integers(0, 92), max_size=5))
def test_any_file(body: bytes, places: list[int]) -> None:
    """Whatever follows a WAV preamble, no cut of it changes what is heard or refused."""

    def outcome(parts: list[bytes]) -> bytes | None:
        try:
            return heard(decode_all(chunks(parts)))
        except RecordError:
            return None

    file = b"RIFF\0\0\0\0WAVE" + body
    assert outcome(cut(file, [p for p in places if p <= len(file)])) == outcome([file])
