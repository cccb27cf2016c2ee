"""Brings what a session has counted into the metrics, and tells of what broke."""

from typing import Final

from consumer.core.events import Event, StreamBroke, StreamEnded
from consumer.core.tally import Tally
from consumer.engine.kit import Kit
from consumer.model import SessionKey
from consumer.ports import MetricName

_NAMES: Final[tuple[MetricName, ...]] = (
    "chunks_repeated",
    "chunks_missing",
    "results_dropped",
    "audio_forgotten_bytes",
    "audio_replayed_bytes",
)


class Accounts:
    """Of one session; what an earlier owner has counted is in its own metrics."""

    def __init__(self, key: SessionKey, tally: Tally, kit: Kit) -> None:
        self._key = key
        self._tally = tally
        self._metrics = kit.metrics
        self._log = kit.log
        self._reported = self._counted()

    def report(self) -> None:
        """Add what was counted since the last report."""
        counted = self._counted()
        for name, now, before in zip(_NAMES, counted, self._reported, strict=True):
            if now != before:
                self._metrics.count(name, now - before)
        self._reported = counted

    def broke(self, event: Event) -> None:
        """The stream broke; what the API did not say of it, the event does."""
        if isinstance(event, StreamBroke):
            code, detail = str(event.code), event.detail
        elif isinstance(event, StreamEnded):
            code, detail = "OK", "it ended before our half-close"
        else:
            code, detail = "DEADLINE_EXCEEDED", "it took no audio, or sent no OK, for too long"
        self._metrics.count("streams_broken")
        self._log.warning("stream broke", session=self._key, code=code, detail=detail)

    def _counted(self) -> tuple[int, ...]:
        tally = self._tally
        return (
            tally.repeats,
            tally.missing,
            tally.dropped,
            tally.forgotten_bytes,
            tally.replayed_bytes,
        )
