"""What a session has done so far, for its summary."""

from collections import Counter

from consumer.model import SessionSummary

_PIDS = 64
"""Process numbers kept for the summary; a session that reconnects for hours has more."""
_LABELS = 64
"""Labels counted apart; the API names two, but whatever it sends passes through."""


class Tally:
    """Plain counts; times in milliseconds are filled in at the end."""

    def __init__(self) -> None:
        self.records = 0
        self.results = 0
        self.dropped = 0
        self.streams = 0
        self.breaks = 0
        self.repeats = 0
        self.missing = 0
        self.dead_letters = 0
        self.forgotten_bytes = 0
        self.replayed_bytes = 0
        self.judged_ms = 0
        self.filled_ms = 0
        self._judged_until_ms = 0
        self._labels: Counter[str] = Counter()
        self._pids: dict[int, None] = {}

    def judged(self, start_ms: int, end_ms: int) -> None:
        """A span of the call is judged; several tasks may say so of the same span."""
        self.judged_ms += max(0, end_ms - max(start_ms, self._judged_until_ms))
        self._judged_until_ms = max(self._judged_until_ms, end_ms)

    def result(self, label: str, pid: int) -> None:
        """A result goes out."""
        self.results += 1
        known = label in self._labels or len(self._labels) < _LABELS
        self._labels[label if known else "other"] += 1
        if len(self._pids) < _PIDS:
            self._pids[pid] = None

    def summary(self, audio_ms: int) -> SessionSummary:
        """The counts, frozen."""
        return SessionSummary(
            audio_ms=audio_ms,
            judged_ms=self.judged_ms,
            filled_ms=self.filled_ms,
            records=self.records,
            results=self.results,
            streams=self.streams,
            repeats=self.repeats,
            missing=self.missing,
            dead_letters=self.dead_letters,
            labels=dict(self._labels),
            pids=tuple(self._pids),
        )
