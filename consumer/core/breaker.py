"""Whether the API as a whole works: one breaker per set of credentials.

It opens when several distinct sessions fail, at once when the credentials are refused, and when
suspiciously many sessions would be poisoned. While it is open no stream is opened and no session is
given up. It closes when a probe, a stream that carries no call's audio, ends well.
"""

from collections import deque
from enum import StrEnum

from consumer.core.policy import BreakerPolicy
from consumer.errors import Fault
from consumer.model import SessionKey


class BreakerState(StrEnum):
    """CLOSED: streams may be opened. OPEN: wait, then probe. PROBING: a probe is under way."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """reason: why it is open, for people. refused: the credentials or the settings are at fault.
    outages: how often a probe has failed after an opening, so that it was no session's fault.
    """

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self.state = BreakerState.CLOSED
        self.reason = ""
        self.refused = False
        self.outages = 0
        self._live = 0
        self._failing: set[SessionKey] = set()
        self._poisoned: deque[float] = deque()
        self._openings = 0
        self._probe_at = 0.0

    @property
    def allows(self) -> bool:
        """Streams may be opened."""
        return self.state is BreakerState.CLOSED

    @property
    def probe_at(self) -> float | None:
        """When to probe, None unless open."""
        return self._probe_at if self.state is BreakerState.OPEN else None

    def joined(self) -> None:
        """One more session is live."""
        self._live += 1

    def left(self, key: SessionKey) -> None:
        """One session less is live."""
        self._live -= 1
        self._failing.discard(key)

    def failed(self, key: SessionKey, fault: Fault, detail: str, now: float) -> None:
        """A session's stream broke."""
        if fault is Fault.SETTINGS:
            self.refused = True
            self._open(detail, now)
        elif fault is Fault.TRANSIENT:
            self._failing.add(key)
            if len(self._failing) >= min(self._policy.sessions, max(self._live, 1)):
                self._open(detail, now)

    def worked(self) -> None:
        """A session's stream shows that the API works."""
        if self._failing:
            self._failing.clear()
        if self.allows and self._openings:
            self._openings = 0

    def may_poison(self, now: float) -> bool:
        """Whether one more session may be given up; if not, the breaker is open from here on."""
        if not self.allows:
            return False
        while self._poisoned and now - self._poisoned[0] > self._policy.window:
            self._poisoned.popleft()
        most = max(self._policy.poisoned, int(self._policy.poisoned_share * self._live))
        if len(self._poisoned) >= most:
            self._open("too many sessions refused at once", now)
            return False
        self._poisoned.append(now)
        return True

    def probing(self) -> None:
        """A probe has been started."""
        self.state = BreakerState.PROBING

    def probed(self, failure: str | None, now: float, *, refused: bool = False) -> None:
        """A probe ended: well, or with this failure."""
        if failure is None:
            self.state = BreakerState.CLOSED
            self.reason = ""
            self.refused = False
            self._failing.clear()
            return
        self.outages += 1
        self.refused = refused
        self.state = BreakerState.CLOSED
        self._open(failure, now)

    def _open(self, reason: str, now: float) -> None:
        if self.state is not BreakerState.CLOSED:
            return
        self._openings += 1
        self.state = BreakerState.OPEN
        self.reason = reason
        self._probe_at = now + self._policy.backoff.pause("probe", self._openings)
