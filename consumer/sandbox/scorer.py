"""Who says whether a voice is real: the plug-in that judges spans, and the one that is built in.

The built-in `ScriptedScorer` is no detector. It makes its verdicts up from a hash of the audio, so
that the same audio always gets the same answer and a test can foresee it; wherever it shows it is
named "scripted". A detector is plugged in as "module:factory", see `load_scorer`.
"""

import hashlib
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from consumer.sandbox.errors import Misused
from consumer.sandbox.silero import Samples


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer thinks of one span.

    log_odds: ln(p / (1 - p)) for p, the probability that the voice is real; finite. embedding: the
    numbers sent as JSON when a stream asks for feature embeddings; what they mean is up to the
    scorer.
    """

    log_odds: float
    embedding: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.log_odds):
            raise ValueError(f"log-odds must be finite, not {self.log_odds}")


@runtime_checkable
class Scorer(Protocol):
    """Judges spans of speech. Called in a worker thread, by one caller at a time."""

    @property
    def name(self) -> str:
        """What it is, for logs, the REST interface and the audit."""
        ...

    @property
    def sample_rate(self) -> int:
        """The rate in Hz at which it wants to hear."""
        ...

    def score(self, batch: Sequence[Samples]) -> Sequence[Score]:
        """One score for each span, in order. A span is a segment or a whole utterance."""
        ...


class Script(StrEnum):
    """How the scripted scorer makes up its verdicts."""

    BY_HASH = "by-hash"
    BONAFIDE = "bonafide"
    SPOOFED = "spoofed"


class ScriptedScorer:
    """Makes verdicts up; says nothing about the voice.

    The first eight bytes of the SHA-256 of the span's 16-bit samples give a number h in [0, 1).
    by-hash: log-odds from -6 to 6; bonafide: from 1 to 7; spoofed: from -1 to -7. The embedding is
    the 32 bytes of that hash, each divided by 256.
    """

    sample_rate = 8_000

    def __init__(self, script: Script = Script.BY_HASH) -> None:
        self._script = script

    @property
    def name(self) -> str:
        """Says that it is scripted, and how."""
        return f"scripted ({self._script}), not a detector"

    def score(self, batch: Sequence[Samples]) -> list[Score]:
        """Verdicts from hashes."""
        return [self._make_up(samples) for samples in batch]

    def _make_up(self, samples: Samples) -> Score:
        audio = np.rint(samples * 32768.0).clip(-32768, 32767).astype("<i2").tobytes()
        digest = hashlib.sha256(audio).digest()
        part = int.from_bytes(digest[:8], "big") / 2**64
        log_odds = {
            Script.BY_HASH: 12 * part - 6,
            Script.BONAFIDE: 1 + 6 * part,
            Script.SPOOFED: -1 - 6 * part,
        }[self._script]
        return Score(log_odds, tuple(byte / 256 for byte in digest))


def load_scorer(name: str) -> Scorer:
    """Build the scorer that `--scorer` names.

    "scripted", "scripted:bonafide", "scripted:spoofed", or "package.module:factory", where
    factory() returns a `Scorer`. Raises Misused.
    """
    module, _, attribute = name.partition(":")
    if module == "scripted":
        return _scripted(attribute or Script.BY_HASH)
    if not attribute:
        raise Misused(f"scorer {name!r} is neither scripted[:bonafide|:spoofed] nor module:factory")
    try:
        scorer = getattr(importlib.import_module(module), attribute)()
    except Exception as error:  # a plug-in may fail in any way
        raise Misused(f"scorer {name!r} can't be loaded: {error!r}") from error
    if not isinstance(scorer, Scorer):
        raise Misused(f"scorer {name!r} has no name, sample_rate and score(batch)")
    return scorer


def _scripted(script: str) -> ScriptedScorer:
    try:
        return ScriptedScorer(Script(script))
    except ValueError as error:
        raise Misused(f"scripted scorer {script!r} is none of {', '.join(Script)}") from error
