"""Brings what a session has counted into the metrics, and tells of what broke."""

from typing import Final

from consumer.core.events import Event, StreamBroke, StreamEnded
from consumer.core.session import Session
from consumer.engine.kit import Kit
from consumer.measures import MetricName
from consumer.model import SessionKey

_NAMES: Final[tuple[MetricName, ...]] = (
    "chunks_repeated",
    "chunks_missing",
    "results_dropped",
    "audio_forgotten_bytes",
    "audio_replayed_bytes",
    "audio_received_seconds",
    "audio_judged_seconds",
    "audio_filled_seconds",
)


class Accounts:
    """Of one session; what an earlier owner has counted is in its own metrics."""

    def __init__(self, key: SessionKey, session: Session, kit: Kit) -> None:
        self._key = key
        self._session = session
        self._clock = kit.clock
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
        self._metrics.count("streams_broken", 1, code)
        self._log.warning("stream broke", session=self._key, code=code, detail=detail)

    def taken(self) -> None:
        """A stream has taken audio just now."""
        captured_at = self._session.delays.captured_at
        if captured_at is not None:
            late = max(0, self._clock.wall_ms() - captured_at)
            self._metrics.observe("intake_delay_seconds", late / 1000)

    def _counted(self) -> tuple[float, ...]:
        tally = self._session.tally
        return (
            tally.repeats,
            tally.missing,
            tally.dropped,
            tally.forgotten_bytes,
            tally.replayed_bytes,
            self._session.delays.audio_ms / 1000,
            tally.judged_ms / 1000,
            tally.filled_ms / 1000,
        )
