"""Audio for the tests: people who speak, and everything else that a telephone may carry.

Always signed 16-bit little-endian mono samples.
"""

import wave
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

_CLIPS = Path(__file__).parents[2] / "consumer" / "demo" / "clips"

Wave = npt.NDArray[np.float64]


@cache
def speech(rate: int = 16_000, seconds: float = 5.3) -> bytes:
    """A sentence read aloud without a pause; 5.3 s of it at most."""
    with wave.open(str(_CLIPS / "reading_unless.wav")) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(clip.readframes(clip.getnframes()), "<i2").astype(np.float64)
    if rate != 16_000:
        samples = soxr.resample(samples, 16_000, rate)
    return _pcm(samples[: round(seconds * rate)] / 32_768)


def silence(rate: int, seconds: float) -> bytes:
    """Digital silence."""
    return bytes(round(seconds * rate) * 2)


def noise(rate: int, seconds: float, level_db: float) -> bytes:
    """White noise, level in dB below full scale."""
    rng = np.random.default_rng(7)
    return _pcm(rng.standard_normal(round(seconds * rate)) * 10 ** (level_db / 20))


def keypad(rate: int, seconds: float) -> bytes:
    """Somebody presses the keys 1 to 9 over and over: two tones, 120 ms, every 250 ms."""
    time = _time(rate, seconds)
    key = (time / 0.25).astype(int) % 9
    low = np.array([697, 770, 852])[key // 3]
    high = np.array([1209, 1336, 1477])[key % 3]
    tones = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    return _pcm(0.25 * tones * (time % 0.25 < 0.12))


def hold_music(rate: int, seconds: float) -> bytes:
    """Plucked chords with a melody and a bass, as played to callers who wait."""
    chords = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))
    melody = (440.0, 523.3, 659.3, 587.3, 523.3, 493.9)
    time = _time(rate, seconds)
    music = np.zeros_like(time)
    for beat in range(int(seconds / 0.5)):
        chord = chords[beat // 4 % len(chords)]
        for pitch in (*chord, chord[0] / 2, melody[beat % len(melody)]):
            music += _pluck(time - beat * 0.5, pitch)
    return _pcm(0.08 * music)


def _pluck(time: Wave, pitch: float) -> Wave:
    sounding = time.clip(0)
    envelope = np.where(time >= 0, np.exp(-4 * sounding) * (1 - np.exp(-200 * sounding)), 0)
    partials = sum(np.sin(2 * np.pi * pitch * n * sounding) / n**2 for n in (1, 2, 3, 4))
    return np.asarray(envelope * partials)


def _time(rate: int, seconds: float) -> Wave:
    return np.arange(round(seconds * rate)) / rate


def _pcm(samples: Wave) -> bytes:
    return bytes(np.rint(samples * 32_768).clip(-32_768, 32_767).astype("<i2").tobytes())
