"""ITU-T G.711: the telephone's two laws, as tables from one byte to a 16-bit sample.

The tables are built from the Recommendation's segments (G.711, 11/1988, tables 1 and 2): the
14-bit values of mu-law and the 13-bit values of A-law, shifted up to 16 bits. They are kept as low
and high bytes, because `bytes.translate` over each is the fastest way without arrays.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """low, high: the little-endian bytes of the sample for each of the 256 codes."""

    low: bytes
    high: bytes

    def expand(self, codes: bytes) -> bytes:
        """Signed 16-bit little-endian samples, two bytes per code."""
        samples = bytearray(2 * len(codes))
        samples[0::2] = codes.translate(self.low)
        samples[1::2] = codes.translate(self.high)
        return bytes(samples)


def _law(samples: list[int]) -> Law:
    return Law(
        low=bytes(sample & 0xFF for sample in samples),
        high=bytes(sample >> 8 & 0xFF for sample in samples),
    )


def _mulaw(code: int) -> int:
    code ^= 0xFF
    segment, step = code >> 4 & 7, (code & 0x0F) << 3
    magnitude = ((step + 132) << segment) - 132
    return -magnitude if code & 0x80 else magnitude


def _alaw(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, (code & 0x0F) << 4
    magnitude = step + 8 if segment == 0 else (step + 264) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


MULAW = _law([_mulaw(code) for code in range(256)])
ALAW = _law([_alaw(code) for code in range(256)])
