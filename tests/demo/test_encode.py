"""Writing samples the ways of telephony, held against the Recommendation and the second opinion."""

from array import array

import pytest

from consumer.demo.encode import encode, interleave
from consumer.demo.reference import heard
from consumer.model import AudioFormat, Encoding, Hertz

ALL = array("h", range(-32_768, 32_768)).tobytes()
LAWS = [Encoding.PCM_MULAW, Encoding.PCM_ALAW]


def mono(encoding: Encoding) -> AudioFormat:
    return AudioFormat(encoding, Hertz(8_000))


def samples(data: bytes) -> "array[int]":
    return array("h", data)


def pcm(*numbers: int) -> bytes:
    return array("h", numbers).tobytes()


@pytest.mark.parametrize("encoding", [Encoding.PCM_S16LE, Encoding.PCM_S16BE])
def test_linear_samples_survive(encoding: Encoding) -> None:
    """Byte order changes nothing but the order of bytes."""
    assert heard(encode(ALL, encoding), mono(encoding)) == ALL


def test_big_endian_is_big_endian() -> None:
    """The high byte comes first."""
    assert encode(pcm(0x1234), Encoding.PCM_S16BE) == b"\x12\x34"


@pytest.mark.parametrize(
    ("encoding", "sample", "code"),
    [
        (Encoding.PCM_MULAW, 0, 0xFF),
        (Encoding.PCM_MULAW, 32_767, 0x80),
        (Encoding.PCM_MULAW, -32_768, 0x00),
        (Encoding.PCM_ALAW, 0, 0xD5),
        (Encoding.PCM_ALAW, 32_767, 0xAA),
        (Encoding.PCM_ALAW, -32_768, 0x2A),
    ],
)
def test_corner_codes(encoding: Encoding, sample: int, code: int) -> None:
    """Silence and both extremes have the codes of ITU-T G.711."""
    assert encode(pcm(sample), encoding) == bytes([code])


@pytest.mark.parametrize("encoding", LAWS)
def test_every_code_survives(encoding: Encoding) -> None:
    """What a code stands for is written as this code again, except mu-law's second zero."""
    codes = bytes(range(256))
    again = encode(heard(codes, mono(encoding)), encoding)
    spare = {0x7F: 0xFF} if encoding is Encoding.PCM_MULAW else {}
    assert again == bytes(spare.get(code, code) for code in codes)


@pytest.mark.parametrize("encoding", LAWS)
def test_laws_stay_near(encoding: Encoding) -> None:
    """No sample is further from its code than half a step of its segment, clipping left out."""
    decoded = samples(heard(encode(ALL, encoding), mono(encoding)))
    for sample, near in zip(samples(ALL), decoded, strict=True):
        if abs(sample) <= 32_000:
            assert abs(sample - near) <= max(8, abs(sample) / 30 + 4)


def test_channels_are_woven() -> None:
    """The call takes its channel; the others get the other talk, then silence."""
    woven = interleave(pcm(1, 2, 3), channels=3, channel=1, others=pcm(7))
    assert samples(woven).tolist() == [7, 1, 7, 0, 2, 0, 0, 3, 0]
    assert heard(woven, AudioFormat(channels=3, channel=1)) == pcm(1, 2, 3)
