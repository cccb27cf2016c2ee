"""Calls to feed, made so that every piece of audio tells whose it is and where it belongs.

A faint noise that differs from call to call is laid under speech, silence and music alike. Nobody
hears it, and the voice activity model doesn't; but no two stretches of any two calls are the same
bytes, so what the API received can be found again without being told where it came from.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

import consumer.demo
from consumer.demo.encode import encode
from consumer.demo.reference import heard
from consumer.demo.wav import read_wav
from consumer.model import AudioFormat, Encoding, Hertz

Samples = NDArray[np.int16]

CLIPS = Path(consumer.demo.__file__).parent / "clips"
READING = ("reading_unless", 1.5, "reading_amiable", 1.0, "reading_young_man", 1.5)
"""Three sentences with pauses between, 15 s in all."""

_FAINT = 24
"""Of 32,768; some steps of mu-law at its finest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """written: the audio as it is sent, `encoding` at `rate` Hz. heard: the samples in it, signed
    16-bit little-endian. partition: where all of it goes.
    """

    key: str
    partition: int
    rate: int
    encoding: Encoding
    written: bytes = field(repr=False)
    heard: bytes = field(repr=False)
    chunk_ms: int = 250

    @property
    def frames(self) -> int:
        """Length in samples."""
        return len(self.heard) // 2

    @property
    def chunk_frames(self) -> int:
        """Samples in a chunk; the last one may have fewer."""
        return self.rate * self.chunk_ms // 1000

    @property
    def chunks(self) -> int:
        """How many there are."""
        return -(-self.frames // self.chunk_frames)

    def chunk(self, number: int) -> bytes:
        """One of them, as it is sent."""
        size = self.chunk_frames * self.encoding.sample_bytes
        return self.written[number * size : (number + 1) * size]

    def headers(self, number: int) -> list[tuple[str, bytes]]:
        """What a chunk says about itself."""
        said = {"encoding": self.encoding, "sample-rate": self.rate, "sequence": number}
        return [(name, str(value).encode()) for name, value in said.items()]


def call(
    key: str,
    sound: Samples,
    *,
    partition: int = 0,
    rate: int = 16_000,
    encoding: Encoding = Encoding.PCM_S16LE,
    chunk_ms: int = 250,
) -> Call:
    """A call of this sound at `rate`, with its own faint noise under it."""
    chance = np.random.default_rng(zlib.crc32(key.encode()))
    noise = chance.integers(-_FAINT, _FAINT + 1, len(sound), np.int16)
    loudest = 32_767 - _FAINT
    samples = (np.clip(sound, -loudest, loudest) + noise).astype("<i2")
    return _written(key, partition, rate, encoding, samples.tobytes(), chunk_ms)


def clip_call(
    key: str, name: str, *, encoding: Encoding = Encoding.PCM_S16LE, chunk_ms: int = 250
) -> Call:
    """A clip as it is, with nothing under it."""
    sound = read_wav(CLIPS / f"{name}.wav")
    return _written(key, 0, sound.sample_rate, encoding, sound.samples, chunk_ms)


def readings(count: int, *, partitions: int = 1, prefix: str = "call") -> list[Call]:
    """Calls of 15 s with the same sentences and different noise, spread over the partitions."""
    sound = spoken(READING, 16_000)
    return [call(f"{prefix}-{n}", sound, partition=n % partitions) for n in range(count)]


def phone_readings(count: int, *, partitions: int = 1, prefix: str = "phone") -> list[Call]:
    """The same as telephones send them: mu-law at 8 kHz in frames of 20 ms."""
    sound = spoken(READING, 8_000)
    mulaw = Encoding.PCM_MULAW
    return [
        call(
            *(f"{prefix}-{n}", sound),
            partition=n % partitions,
            rate=8_000,
            encoding=mulaw,
            chunk_ms=20,
        )
        for n in range(count)
    ]


@cache
def spoken(script: Sequence[str | float], rate: int) -> Samples:
    """Clips by name, and silence by seconds, one after the other."""
    parts = [
        _clip(part, rate) if isinstance(part, str) else np.zeros(round(part * rate), np.int16)
        for part in script
    ]
    return np.concatenate(parts)


def looped(sound: Samples, seconds: float, rate: int) -> Samples:
    """The sound again and again, for so long."""
    return np.resize(sound, round(seconds * rate))


def music(seconds: float, rate: int) -> Samples:
    """What is played while one waits: chords that change every second, plucked and dying away."""
    length = round(seconds * rate)
    beat = np.arange(rate) / rate
    roots = (220.0, 261.6, 174.6, 196.0, 246.9, 164.8)
    bars = [
        sum(np.sin(2 * np.pi * root * step * beat) / step for step in (1, 1.26, 1.5, 2, 3))
        * np.exp(-2.5 * beat)
        for root in roots
    ]
    tune = np.concatenate(bars)
    loud: Samples = (tune / np.abs(tune).max() * 9_000).astype(np.int16)
    return np.resize(loud, length)


def _clip(name: str, rate: int) -> Samples:
    sound = read_wav(CLIPS / f"{name}.wav")
    samples = np.frombuffer(sound.samples, "<i2")
    resampled: Samples = soxr.resample(samples, sound.sample_rate, rate).astype(np.int16)
    return resampled


def _written(
    key: str, partition: int, rate: int, encoding: Encoding, samples: bytes, chunk_ms: int
) -> Call:
    written = samples
    if encoding is not Encoding.PCM_S16LE:
        written = _codes(encoding)[np.frombuffer(samples, "<u2")].tobytes()
    return Call(
        key=key,
        partition=partition,
        rate=rate,
        encoding=encoding,
        written=written,
        heard=heard(written, AudioFormat(encoding, Hertz(rate))),
        chunk_ms=chunk_ms,
    )


@cache
def _codes(encoding: Encoding) -> NDArray[np.uint8]:
    """The code of each sample, by its two's complement as an unsigned number."""
    return np.frombuffer(encode(np.arange(0x10000, dtype="<u2").tobytes(), encoding), np.uint8)
