"""The voice activity model hears people and nothing else, however their audio arrives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.sandbox.silero import NARROW, WIDE, Heard, Model, Track
from tests.sandbox import sounds

RATES = (8_000, 16_000, 11_025, 44_100)


def hear(model: Model, rate: int, parts: list[bytes]) -> Heard:
    """One stream's audio, piece by piece, alone."""
    track = Track(rate)
    heard = [model.listen([(track, part, False)])[0] for part in parts]
    heard += model.listen([(track, b"", True)])
    return Heard(
        np.concatenate([one.probabilities for one in heard]), b"".join(one.audio for one in heard)
    )


def split(pcm: bytes, places: list[float]) -> list[bytes]:
    """Cut audio between samples at these parts of its length."""
    cuts = [0, *sorted(2 * int(place * len(pcm) / 2) for place in places), len(pcm)]
    return [pcm[start:end] for start, end in pairwise(cuts)]


@pytest.mark.parametrize("rate", RATES)
def test_speech_is_heard(model: Model, rate: int) -> None:
    """Nearly all frames of a sentence are speech, at any rate."""
    probabilities = hear(model, rate, [sounds.speech(rate, 5)]).probabilities
    assert len(probabilities) == pytest.approx(5 / 0.032, abs=1)
    assert np.mean(probabilities >= 0.5) > 0.8


@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize(
    "sound",
    [
        sounds.silence(1, 0),
        sounds.silence,
        sounds.keypad,
        sounds.hold_music,
        lambda rate, seconds: sounds.noise(rate, seconds, -50),
        lambda rate, seconds: sounds.noise(rate, seconds, -20),
    ],
    ids=["nothing", "silence", "keypad", "hold music", "soft noise", "loud noise"],
)
def test_all_else_is_not(model: Model, rate: int, sound: object) -> None:
    """Silence, keys, hold music and noise are not speech."""
    pcm = sound(rate, 15) if callable(sound) else b""
    assert np.all(hear(model, rate, [pcm]).probabilities < 0.5)


@pytest.mark.parametrize("rate", RATES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0, 1), max_size=30))
def test_cuts_change_nothing(model: Model, rate: int, places: list[float]) -> None:
    """However audio is cut into pieces, down to a sample, each frame is judged exactly the same."""
    pcm = sounds.speech(rate, 1.5)
    whole, parts = hear(model, rate, [pcm]), hear(model, rate, split(pcm, places))
    assert np.array_equal(whole.probabilities, parts.probabilities)
    assert whole.audio == parts.audio


def test_company_changes_nothing(model: Model) -> None:
    """A stream is judged the same alone and in a batch with others of any rate and length."""
    streams = [
        (rate, sounds.speech(rate, seconds))
        for rate, seconds in ((8_000, 2.0), (16_000, 3.1), (8_000, 0.01), (44_100, 1.0))
    ]
    streams += [(16_000, sounds.noise(16_000, 2.5, -20)), (8_000, sounds.hold_music(8_000, 1.2))]
    together = model.listen([(Track(rate), pcm, True) for rate, pcm in streams])
    for (rate, pcm), heard in zip(streams, together, strict=True):
        [alone] = model.listen([(Track(rate), pcm, True)])
        assert heard.audio == alone.audio
        np.testing.assert_allclose(heard.probabilities, alone.probabilities, atol=1e-5)


def test_audio_at_the_models_rate_is_untouched(model: Model) -> None:
    """Audio at 8 and 16 kHz is passed on byte for byte."""
    for rate in (8_000, 16_000):
        pcm = sounds.speech(rate, 0.5)
        assert hear(model, rate, [pcm]).audio == pcm


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_resampling_keeps_the_time(model: Model, rate: int) -> None:
    """Resampled audio is as long as the original and lies at the same place in time."""
    audio = np.frombuffer(hear(model, rate, [sounds.speech(rate, 5)]).audio, "<i2").astype(float)
    original = np.frombuffer(sounds.speech(16_000, 5), "<i2").astype(float)
    assert abs(len(audio) - len(original)) <= 2
    length = min(len(audio), len(original))
    lags = range(-8, 9)
    inner = original[100 : length - 100]
    match = [float(inner @ audio[100 + lag : length - 100 + lag]) for lag in lags]
    assert lags[int(np.argmax(match))] == 0


def test_mode_follows_the_rate() -> None:
    """The narrow mode is for 8 kHz only."""
    assert Track(8_000).mode is NARROW
    assert {Track(rate).mode for rate in (1, 7_999, 8_001, 16_000, 48_000)} == {WIDE}


@pytest.mark.parametrize("rate", [1, 100, 7_999, 384_000])
def test_odd_rates_work(model: Model, rate: int) -> None:
    """Rates that nobody uses are no error."""
    heard = hear(model, rate, [bytes(2 * min(rate, 20_000))])
    assert np.all(heard.probabilities < 0.5)
