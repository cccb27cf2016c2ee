"""A second opinion on what the API should hear: the guises decoded without the consumer's codec.

Written with numpy and from the formulas of G.711, on purpose in another way than codec/, so that
one mistake can't be in both.
"""

import numpy as np
from numpy.typing import NDArray

from consumer.model import AudioFormat, Encoding

Samples = NDArray[np.int16]


def heard(data: bytes, form: AudioFormat) -> bytes:
    """The chosen channel of the audio as signed 16-bit little-endian samples."""
    frames = _numbers(data, form.encoding).reshape(-1, form.channels)
    return frames[:, form.channel].astype("<i2").tobytes()


def _numbers(data: bytes, encoding: Encoding) -> Samples:
    if encoding is Encoding.PCM_S16LE:
        return np.frombuffer(data, "<i2").astype(np.int16)
    if encoding is Encoding.PCM_S16BE:
        return np.frombuffer(data, ">i2").astype(np.int16)
    codes = np.frombuffer(data, np.uint8).astype(np.int32)
    return _mulaw(codes) if encoding is Encoding.PCM_MULAW else _alaw(codes)


def _mulaw(codes: NDArray[np.int32]) -> Samples:
    """Step 2^(segment+1) of a 14-bit scale, offset by 33 steps of its smallest half."""
    turned = 255 - codes
    segment, mantissa = turned // 16 % 8, turned % 16
    magnitude = (2 * mantissa + 33) * 2**segment - 33
    return (np.where(turned >= 128, -magnitude, magnitude) * 4).astype(np.int16)


def _alaw(codes: NDArray[np.int32]) -> Samples:
    """The middle of each step of a 13-bit scale; even bits are inverted on the line."""
    turned = np.bitwise_xor(codes, 0b01010101)
    segment, mantissa = turned // 16 % 8, turned % 16
    low = 2 * mantissa + 1
    high = (2 * mantissa + 33) * 2.0 ** (segment - 1)
    magnitude = np.where(segment == 0, low, high)
    return (np.where(turned >= 128, magnitude, -magnitude) * 8).astype(np.int16)
