"""16-bit samples to the ways in which telephony and files write them.

The consumer only ever decodes; encoding is what callers do, so it lives with those who play them.
G.711 is written from the Recommendation's segments (ITU-T G.711, 11/1988, tables 1 and 2).
"""

import sys
from array import array
from bisect import bisect_right
from functools import cache

from consumer.model import Encoding

_SEGMENTS = (0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000)
"""Magnitudes at which segments 1 to 7 begin, as 16-bit values; mu-law counts them with its bias."""
_BIAS = 132
_LOUDEST = 32_635


def encode(samples: bytes, encoding: Encoding) -> bytes:
    """Signed 16-bit little-endian samples, written in another way. Channels stay interleaved."""
    if encoding is Encoding.PCM_S16LE:
        return samples
    numbers = array("H", samples)
    if encoding is Encoding.PCM_S16BE:
        numbers.byteswap()
        return numbers.tobytes()
    if sys.byteorder == "big":
        numbers.byteswap()
    return bytes(map(_codes(encoding).__getitem__, numbers))


def interleave(samples: bytes, channels: int, channel: int, others: bytes = b"") -> bytes:
    """Mono samples as one channel among several; the others get `others`, then silence."""
    mono = array("H", samples)
    rest = array("H", others[: len(samples)].ljust(len(samples), b"\0"))
    frames = array("H", bytes(len(samples) * channels))
    for number in range(channels):
        frames[number::channels] = mono if number == channel else rest
    return frames.tobytes()


@cache
def _codes(encoding: Encoding) -> bytes:
    """The code of each sample, by its two's complement as an unsigned number."""
    law = _mulaw if encoding is Encoding.PCM_MULAW else _alaw
    return bytes(law(number - 0x10000 if number > 0x7FFF else number) for number in range(0x10000))


def _mulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _LOUDEST) + _BIAS
    segment = bisect_right(_SEGMENTS, magnitude)
    return ~(sign | segment << 4 | magnitude >> segment + 3 & 0x0F) & 0xFF


def _alaw(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    magnitude = sample if sample >= 0 else ~sample
    segment = bisect_right(_SEGMENTS, magnitude)
    return (sign | segment << 4 | magnitude >> max(segment, 1) + 3 & 0x0F) ^ 0x55
