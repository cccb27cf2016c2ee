"""What a session has done so far, for its summary."""

from collections import Counter

from consumer.core.checkpoint import TallyMemory
from consumer.model import SessionSummary

_PIDS = 64
"""Process numbers kept for the summary; a session that reconnects for hours has more."""
_LABELS = 64
"""Labels counted apart; the API names two, but whatever it sends passes through."""


class Tally:
    """Plain counts; streams are filled in at the end."""

    def __init__(self, memory: TallyMemory | None = None) -> None:
        memory = memory or TallyMemory()
        self.records = memory.records
        self.results = memory.results
        self.dropped = 0
        self.streams = 0
        self.breaks = 0
        self.repeats = memory.repeats
        self.missing = memory.missing
        self.dead_letters = memory.dead_letters
        self.forgotten_bytes = 0
        self.replayed_bytes = 0
        self.judged_ms = memory.judged_ms
        self.filled_ms = memory.filled_ms
        self._judged_until_ms = memory.judged_until_ms
        self._labels: Counter[str] = Counter(memory.labels)
        self._pids: dict[int, None] = dict.fromkeys(memory.pids)

    @property
    def memory(self) -> TallyMemory:
        """What counts on under another owner."""
        return TallyMemory(
            records=self.records,
            results=self.results,
            repeats=self.repeats,
            missing=self.missing,
            dead_letters=self.dead_letters,
            filled_ms=self.filled_ms,
            judged_ms=self.judged_ms,
            judged_until_ms=self._judged_until_ms,
            labels=dict(self._labels),
            pids=tuple(self._pids),
        )

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
