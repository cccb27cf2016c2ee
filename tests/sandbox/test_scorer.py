"""The scripted scorer is predictable and says what it is; plug-ins are checked."""

import math
import sys
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import pytest

from consumer.sandbox.errors import Misused
from consumer.sandbox.scorer import Score, Scorer, Script, ScriptedScorer, load_scorer
from consumer.sandbox.silero import Samples

VOICES: list[Samples] = [np.linspace(-0.5, 0.5, n).astype(np.float32) for n in range(100, 160)]


class PluggedIn:
    """A scorer as somebody else might write it."""

    name = "plugged in"
    sample_rate = 16_000

    def score(self, batch: Sequence[Samples]) -> Sequence[Score]:
        return [Score(1.5) for _ in batch]


def test_same_audio_same_verdict() -> None:
    """The verdict depends on the audio and on nothing else."""
    together = ScriptedScorer().score(VOICES)
    alone = [ScriptedScorer().score([voice])[0] for voice in reversed(VOICES)]
    assert together == alone[::-1]
    assert len({score.log_odds for score in together}) == len(VOICES)


def test_by_hash_gives_both_labels() -> None:
    """Different audio gets different verdicts, of both kinds."""
    odds = [score.log_odds for score in ScriptedScorer().score(VOICES)]
    assert min(odds) < 0 < max(odds)
    assert all(-6 <= value < 6 for value in odds)


@pytest.mark.parametrize(("script", "sign"), [(Script.BONAFIDE, 1), (Script.SPOOFED, -1)])
def test_label_can_be_fixed(script: Script, sign: int) -> None:
    """A fixed script gives one label, with different certainty."""
    odds = [sign * score.log_odds for score in ScriptedScorer(script).score(VOICES)]
    assert all(1 <= value < 7 for value in odds)
    assert len(set(odds)) > 1


def test_embedding_has_32_numbers() -> None:
    """The scripted embedding is the hash, scaled below one."""
    [score] = ScriptedScorer().score(VOICES[:1])
    assert len(score.embedding) == 32
    assert all(0 <= value < 1 for value in score.embedding)


@pytest.mark.parametrize("name", ["scripted", "scripted:bonafide", "scripted:spoofed"])
def test_scripted_says_so(name: str) -> None:
    """Wherever its name shows, it says that it is scripted and no detector."""
    scorer = load_scorer(name)
    assert isinstance(scorer, ScriptedScorer)
    assert "scripted" in scorer.name
    assert "not a detector" in scorer.name


def test_plug_in_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """module:factory builds a scorer."""
    module = ModuleType("plugged")
    vars(module)["make"] = PluggedIn
    monkeypatch.setitem(sys.modules, "plugged", module)
    scorer: Scorer = load_scorer("plugged:make")
    assert scorer.name == "plugged in"
    assert scorer.score(VOICES[:1]) == [Score(1.5)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("detector", "neither scripted"),
        ("", "neither scripted"),
        ("scripted:maybe", "none of by-hash, bonafide, spoofed"),
        ("no_such_module:make", "can't be loaded: ModuleNotFoundError"),
        ("os:no_such_thing", "can't be loaded: AttributeError"),
        ("os:getcwd", "has no name, sample_rate and score"),
    ],
)
def test_bad_names_are_told(name: str, text: str) -> None:
    """A scorer that can't be had is a mistake with a reason."""
    with pytest.raises(Misused, match=text):
        load_scorer(name)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_scores_are_finite(value: float) -> None:
    """A score that is no number can't be built."""
    with pytest.raises(ValueError, match="finite"):
        Score(value)
