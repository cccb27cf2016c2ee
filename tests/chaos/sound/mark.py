"""A mark in the four lowest bits of every sample: whose audio this is, and which part of it.

Sixteen samples make a block. The highest of the four bits is set on a block's first sample and
nowhere else; the other three, sample by sample, spell the call's number, the block's number and a
check. Any 31 samples in a row thus tell where they belong, however a stream was cut.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

BLOCK = 16
"""Samples."""
BITS = 0x0F
"""What of a sample the mark takes."""

_FIRST = 0b1000
_SHIFTS = np.arange(45, -1, -3, dtype=np.uint64)
_CALLS = 1 << 16
_BLOCKS = 1 << 24
_MIX = 0x9E3779B97F4A7C15
"""Odd and without a pattern: after multiplying by it, the top bits depend on all bits."""


class Place(NamedTuple):
    """The frame of a call that a piece of audio begins with."""

    call: int
    frame: int


def marks(call: int, start: int, end: int) -> Samples:
    """The low bits of the frames from `start` to `end` of a call."""
    if not (0 <= call < _CALLS and 0 <= start <= end < _BLOCKS * BLOCK):
        raise ValueError(f"no mark for {start} to {end} of call {call}")
    first = start // BLOCK
    words = _words(call, np.arange(first, -(-end // BLOCK), dtype=np.uint64))
    bits = ((words[:, None] >> _SHIFTS) & np.uint64(0b111)).astype(np.int16)
    bits[:, 0] |= _FIRST
    return bits.reshape(-1)[start - first * BLOCK : end - first * BLOCK]


def read(samples: Samples) -> Place | None:
    """Where a piece belongs by its first whole block; None when there is none."""
    low = samples & BITS
    for at in np.flatnonzero(low & _FIRST):
        block = low[at : at + BLOCK].astype(np.uint64) & np.uint64(0b111)
        if len(block) < BLOCK:
            return None
        word = int(np.bitwise_or.reduce(block << _SHIFTS))
        call, number = word >> 32, word >> 8 & (_BLOCKS - 1)
        if word == int(_words(call, np.array([number], np.uint64))[0]):
            return Place(call, number * BLOCK - int(at))
    return None


def _words(call: int, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (np.uint64(call << 24) | blocks) * np.uint64(_MIX)
    return np.uint64(call << 32) | blocks << np.uint64(8) | mixed >> np.uint64(56)
