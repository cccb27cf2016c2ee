"""Any format to mono little-endian samples."""

from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.g711 import ALAW, MULAW
from consumer.codec.samples import Transcoder
from consumer.model import AudioFormat, Encoding, Hertz

RATE = Hertz(8000)


def test_no_copy() -> None:
    """Audio that is as the API wants it is not copied."""
    audio = bytes(range(64))
    assert Transcoder(AudioFormat()).decode(audio) is audio


def test_big_endian() -> None:
    """Byte order is turned, and the second of two channels taken."""
    way = Transcoder(AudioFormat(Encoding.PCM_S16BE, RATE, 2, 1))
    assert way.decode(bytes.fromhex("0001020304050607")) == bytes.fromhex("03020706")


@given(st.data(), st.sampled_from(Encoding), st.integers(1, 5))
def test_channel(data: st.DataObject, encoding: Encoding, channels: int) -> None:
    """The chosen channel of interleaved frames comes out, sample by sample."""
    channel = data.draw(st.integers(0, channels - 1))
    frames = data.draw(st.integers(0, 20))
    way = Transcoder(AudioFormat(encoding, RATE, channels, channel))
    size = frames * way.frame_bytes
    audio = data.draw(st.binary(min_size=size, max_size=size))
    width = encoding.sample_bytes
    samples = [audio[at : at + width] for at in range(0, size, width)][channel::channels]
    expected = {
        Encoding.PCM_S16LE: lambda sample: sample,
        Encoding.PCM_S16BE: lambda sample: pack("<h", *unpack(">h", sample)),
        Encoding.PCM_MULAW: MULAW.expand,
        Encoding.PCM_ALAW: ALAW.expand,
    }[encoding]
    assert way.decode(audio) == b"".join(map(expected, samples))


@pytest.mark.parametrize(
    ("encoding", "channels", "frame_bytes"),
    [(Encoding.PCM_S16LE, 1, 2), (Encoding.PCM_S16BE, 6, 12), (Encoding.PCM_ALAW, 2, 2)],
)
def test_frame_bytes(encoding: Encoding, channels: int, frame_bytes: int) -> None:
    """A frame holds one sample of every channel."""
    assert Transcoder(AudioFormat(encoding, RATE, channels)).frame_bytes == frame_bytes
