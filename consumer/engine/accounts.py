"""Brings what a session has counted into the metrics."""

from typing import Final

from consumer.core.tally import Tally
from consumer.ports import MetricName, Metrics

_NAMES: Final[tuple[MetricName, ...]] = (
    "chunks_repeated",
    "chunks_missing",
    "results_dropped",
    "audio_forgotten_bytes",
    "audio_replayed_bytes",
)


class Accounts:
    """Of one session; what an earlier owner has counted is in its own metrics."""

    def __init__(self, tally: Tally, metrics: Metrics) -> None:
        self._tally = tally
        self._metrics = metrics
        self._reported = self._counted()

    def report(self) -> None:
        """Add what was counted since the last report."""
        counted = self._counted()
        for name, now, before in zip(_NAMES, counted, self._reported, strict=True):
            if now != before:
                self._metrics.count(name, now - before)
        self._reported = counted

    def _counted(self) -> tuple[int, ...]:
        tally = self._tally
        return (
            tally.repeats,
            tally.missing,
            tally.dropped,
            tally.forgotten_bytes,
            tally.replayed_bytes,
        )
