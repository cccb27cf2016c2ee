"""G.711 against its Recommendation: decision values in, the middle of each interval out."""

from itertools import accumulate, pairwise
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.g711 import ALAW, MULAW, Law

# Tables 1 and 2 of the Recommendation as widths of the quantising intervals, from zero up, in
# units of 14-bit (mu) and 13-bit (A) linear values; 16-bit samples are 4 and 8 times as large.
MU_WIDTHS = [1] + [2] * 15 + [width for width in (4, 8, 16, 32, 64, 128, 256) for _ in range(16)]
A_WIDTHS = [2] * 32 + [width for width in (4, 8, 16, 32, 64, 128) for _ in range(16)]


def middles(widths: list[int], *, zero: bool) -> list[float]:
    """The output value of each interval; the first one of mu-law stands for zero."""
    edges = [0, *accumulate(widths)]
    values = [(low + high) / 2 for low, high in pairwise(edges)]
    return [0.0, *values[1:]] if zero else values


def mulaw_table() -> list[int]:
    """Codes count down from all ones; the high bit is set for positive values."""
    table = [0] * 256
    for number, value in enumerate(middles(MU_WIDTHS, zero=True)):
        table[0xFF - number] = int(4 * value)
        table[0x7F - number] = -int(4 * value)
    return table


def alaw_table() -> list[int]:
    """Codes count up, with every other bit inverted; the high bit is set for positive values."""
    table = [0] * 256
    for number, value in enumerate(middles(A_WIDTHS, zero=False)):
        table[(0x80 + number) ^ 0x55] = int(8 * value)
        table[number ^ 0x55] = -int(8 * value)
    return table


@pytest.mark.parametrize(
    ("law", "table"),
    [pytest.param(MULAW, mulaw_table(), id="mulaw"), pytest.param(ALAW, alaw_table(), id="alaw")],
)
def test_tables(law: Law, table: list[int]) -> None:
    """All 256 codes give the middle of their interval."""
    assert list(unpack("<256h", law.expand(bytes(range(256))))) == table


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        (MULAW, 0x00, -32124), (MULAW, 0x80, 32124), (MULAW, 0xFF, 0), (MULAW, 0x7F, 0),
        (MULAW, 0xFE, 8), (MULAW, 0x7E, -8), (MULAW, 0xEF, 132),
        (ALAW, 0xD5, 8), (ALAW, 0x55, -8), (ALAW, 0xAA, 32256), (ALAW, 0x2A, -32256),
        (ALAW, 0x80, 5504),
    ],
)  # fmt: skip
def test_known_values(law: Law, code: int, sample: int) -> None:
    """Values that are known from other implementations."""
    assert law.expand(bytes([code])) == pack("<h", sample)


@given(st.binary(max_size=400), st.sampled_from([MULAW, ALAW]))
def test_each_code_alone(codes: bytes, law: Law) -> None:
    """A code's samples don't depend on its neighbours."""
    assert law.expand(codes) == b"".join(law.expand(bytes([code])) for code in codes)
