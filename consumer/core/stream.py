"""What is known of the stream that a session has open: what it carries, and since when.

Positions are call frames. Nothing here decides; the session does.
"""

from collections import deque
from typing import NamedTuple

from consumer.core.policy import StreamPolicy
from consumer.core.timeline import StreamClock
from consumer.model import Frames, StreamConfig, StreamNumber

_GRAIN = 1.0
"""Seconds of wall time that the record of when audio was taken may be off by."""


_MOMENTS = 1024
"""Messages of which it is known when they were handed over: a horizon of small ones."""


class _Moment(NamedTuple):
    frame: int
    at: float


class LiveStream:
    """number and config: as it was opened. base: its first frame. sent: the frame after what was
    handed over. taken: the frame after what the API's side has accepted. cut: where a roll-over
    ends it, and until when to wait for audio up to there. closing_since: half-closed, or heard of
    since, at; 0 before.
    """

    __slots__ = ("_handed", "_history", "base", "clock", "closing_since", "config", "cut",
                 "cut_until", "number", "opened_at", "sent", "taken", "taken_at")  # fmt: skip

    def __init__(
        self,
        number: StreamNumber,
        config: StreamConfig,
        base: Frames,
        clock: StreamClock,
        now: float,
    ) -> None:
        self.number = number
        self.config = config
        self.base = self.sent = self.taken = base
        self.clock = clock
        self.opened_at = self.taken_at = now
        self.cut: Frames | None = None
        self.cut_until = 0.0
        self.closing_since = 0.0
        self._history: deque[_Moment] = deque()
        self._handed: deque[_Moment] = deque(maxlen=_MOMENTS)

    def handed_over(self, frames: int, now: float) -> None:
        """A message of this many frames goes to the stream."""
        if self.sent == self.taken:
            self.taken_at = now
        self.sent = Frames(self.sent + frames)
        self._handed.append(_Moment(self.sent, now))

    def handed_at(self, frame: int) -> float | None:
        """When the audio before this frame was handed over; asked in the order of frames, since
        what lies before is forgotten.
        """
        handed = self._handed
        while handed and handed[0].frame < frame:
            handed.popleft()
        return handed[0].at if handed else None

    def took(self, frames: int, now: float) -> None:
        """The oldest frames handed over have been accepted, now or a moment ago."""
        if not self._history or now - self._history[-1].at >= _GRAIN:
            self._history.append(_Moment(self.taken, now))
        self.taken = Frames(self.taken + frames)
        self.taken_at = now

    def answered(self, now: float) -> None:
        """A message came. After the half-close that means that its OK takes longer, not for ever:
        there is only so much audio to say something about.
        """
        if self.closing_since:
            self.closing_since = now

    def stalled_at(self, policy: StreamPolicy) -> float | None:
        """When a message handed over will have waited too long, None when nothing waits."""
        return self.taken_at + policy.stall_timeout if self.sent > self.taken else None

    def roll_at(self, judged: int, policy: StreamPolicy) -> float | None:
        """When the stream must roll over at the latest, None when nothing asks for that yet."""
        horizon = self._horizon_at(judged, policy)
        limit = self._limit_at(policy) if policy.limit else None
        if horizon is None or limit is None:
            return limit if horizon is None else horizon
        return min(horizon, limit)

    def may_roll(self, policy: StreamPolicy, now: float) -> bool:
        """The API's limit is near enough to use an utterance's end for rolling over."""
        return policy.limit > 0 and self._age(now) >= 0.7 * policy.limit

    def _age(self, now: float) -> float:
        audio = (self.sent - self.base) / self.config.sample_rate
        return max(now - self.opened_at, audio)

    def _limit_at(self, policy: StreamPolicy) -> float:
        audio = (self.sent - self.base) / self.config.sample_rate
        full = audio >= 0.9 * policy.limit
        return self.opened_at if full else self.opened_at + 0.9 * policy.limit

    def _horizon_at(self, judged: int, policy: StreamPolicy) -> float | None:
        """Audio a horizon behind, and written a horizon ago: both, since writing is local."""
        history = self._history
        while len(history) > 1 and history[1].frame <= judged:
            history.popleft()
        if not history or self.sent - judged < policy.horizon * self.config.sample_rate:
            return None
        return history[0].at + _GRAIN + policy.horizon
