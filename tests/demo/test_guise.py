"""How audio is written, wrapped and cut."""

import pytest

from consumer.codec.fields import ChunkFields
from consumer.demo.guise import Guise, chunk_bytes
from consumer.demo.wav import riff
from consumer.model import AudioFormat, Encoding, Hertz


def guise(form: AudioFormat, size: int = 4, *, file: bool = False) -> Guise:
    return Guise(name="test", format=form, chunk_bytes=size, file=file)


def test_cut_loses_nothing() -> None:
    """The chunks put together are the data; only the last may be smaller."""
    pieces = list(guise(AudioFormat(), 4).cut(b"0123456789"))
    assert pieces == [b"0123", b"4567", b"89"]


def test_fields_say_what_it_is() -> None:
    """A plain chunk names encoding and rate, and its channel only among several."""
    assert guise(AudioFormat(Encoding.PCM_ALAW, Hertz(8_000))).fields == ChunkFields(
        encoding=Encoding.PCM_ALAW, sample_rate=8_000
    )
    pair = guise(AudioFormat(channels=2, channel=1)).fields
    assert (pair.channels, pair.channel) == (2, 1)


def test_file_speaks_for_itself() -> None:
    """A file's header is sent, and nothing else names encoding or rate."""
    file = guise(AudioFormat(sample_rate=Hertz(22_050)), file=True)
    assert file.fields == ChunkFields()
    assert file.wrap(b"\1\0") == riff(b"\1\0", 22_050)
    assert guise(AudioFormat()).wrap(b"\1\0") == b"\1\0"
    assert guise(AudioFormat(channels=2, channel=1), file=True).fields.channel == 1


@pytest.mark.parametrize(
    ("form", "milliseconds", "size"),
    [
        (AudioFormat(Encoding.PCM_MULAW, Hertz(8_000)), 20, 160),
        (AudioFormat(sample_rate=Hertz(44_100), channels=2), 100, 17_640),
        (AudioFormat(sample_rate=Hertz(11_025)), 20, 440),
        (AudioFormat(sample_rate=Hertz(8_000)), 0.01, 2),
    ],
)
def test_chunks_hold_whole_frames(form: AudioFormat, milliseconds: float, size: int) -> None:
    """A length in time is rounded to frames, and is never empty."""
    assert chunk_bytes(form, milliseconds) == size


def test_impossible_guises_are_refused() -> None:
    """A guise is valid once built."""
    with pytest.raises(ValueError, match="at least 1"):
        guise(AudioFormat(), 0)
    with pytest.raises(ValueError, match="pcm_s16le"):
        guise(AudioFormat(Encoding.PCM_MULAW), file=True)
