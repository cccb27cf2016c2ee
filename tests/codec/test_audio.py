"""Sessions of records to samples: splits, changes of format, and all of it again."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.audio import SessionDecoder
from consumer.core.events import Decoded, Decoder
from consumer.errors import RecordError
from consumer.model import AudioFormat, ChunkEvent, Encoding, Hertz, Offset
from tests.codec.sessions import (
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
from tests.codec.wav import riff_chunk, wav

formats = st.builds(
    lambda encoding, rate, channels: AudioFormat(encoding, Hertz(rate), channels, channels - 1),
    st.sampled_from(Encoding),
    st.sampled_from([8000, 16_000]),
    st.integers(1, 3),
)


# Property tests meet the words of the code they test, so audio must be kept from being a file.
plain_audio = st.binary(max_size=120).filter(
    lambda audio: not audio.startswith((b"R", b"F", b"O", b"f", b"\x1a")) and b"WAVE" not in audio
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, AudioFormat, AudioFormat, bytes]:
    """Bytes, the declared format, the format that governs, and the audio in it."""
    declared = draw(formats)
    audio = draw(plain_audio)
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
