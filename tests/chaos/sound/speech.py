"""Programmes: clips of speech between silence, such that the seconds of speech are beyond doubt.

The API decides second by second whether somebody speaks. Every clip is put so that its first and
last second are full of voice and the seconds around it have none; `tests/chaos/test_speech.py`
shows with the sandbox's own model how far from doubt that is.
"""

import wave
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import soxr

from tests.chaos.sound.mark import BITS, Samples

RATE = 8_000
SECONDS = 90
"""Length of a programme."""
PROGRAMMES = 12

_CLIPS = Path(__file__).parents[3] / "consumer" / "demo" / "clips"


class Spoken(NamedTuple):
    """Whole seconds in which somebody speaks, from `start` up to `end`."""

    start: int
    end: int


class _Clip(NamedTuple):
    """early: how long before the first full second of voice it begins, in ms."""

    name: str
    seconds: int
    early: int


_ALL = (
    _Clip("reading_unless", 5, 240),
    _Clip("reading_amiable", 3, 120),
    _Clip("reading_young_man", 3, 80),
    _Clip("synthetic_delivery", 4, 0),
)


class Programme(NamedTuple):
    """samples: without marks. spoken: in order, at least two seconds of silence between."""

    samples: Samples
    spoken: tuple[Spoken, ...]

    def until(self, seconds: int) -> tuple[Spoken, ...]:
        """What is spoken up to there."""
        return tuple(
            Spoken(one.start, min(one.end, seconds)) for one in self.spoken if one.start < seconds
        )


@cache
def programme(number: int) -> Programme:
    """One of them; the same every time."""
    samples = np.zeros(SECONDS * RATE, np.int16)
    spoken: list[Spoken] = []
    for clip, start in _layout(Random(number)):
        sound = _sound(clip.name)
        first = start * RATE - clip.early * RATE // 1000
        samples[first : first + len(sound)] = sound
        spoken.append(Spoken(start, start + clip.seconds))
    return Programme(samples & ~np.int16(BITS), tuple(spoken))


def _layout(chance: Random) -> Iterator[tuple[_Clip, int]]:
    second = chance.randint(1, 4)
    while True:
        clip = chance.choice(_ALL)
        if second + clip.seconds + 1 > SECONDS:
            return
        yield clip, second
        second += clip.seconds + chance.randint(2, 6)


@cache
def _sound(name: str) -> Samples:
    with wave.open(str(_CLIPS / f"{name}.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        resampled: Samples = soxr.resample(samples, file.getframerate(), RATE).astype(np.int16)
    return resampled
