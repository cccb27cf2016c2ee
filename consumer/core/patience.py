"""How often and how long a session tries: its retry budget, and the time it may be stuck."""

from consumer.core.policy import RetryPolicy
from consumer.errors import Fault


class Patience:
    """retry_at: when the next stream may be opened after a break. stuck_at: when audio that waits
    has waited too long without anything being settled.
    """

    __slots__ = ("_attempts", "_broke_at", "_key", "_outages", "_policy", "_refusals",
                 "retry_at", "stuck_at")  # fmt: skip

    def __init__(self, policy: RetryPolicy, key: str) -> None:
        self._policy = policy
        self._key = key
        self._attempts = 0
        self._refusals = 0
        self._broke_at = 0
        self._outages = 0
        self.retry_at = 0.0
        self.stuck_at = policy.stuck

    def begin(self, now: float) -> None:
        """Audio waits from now on."""
        self.stuck_at = now + self._policy.stuck

    def progress(self, judged: int, now: float) -> None:
        """Audio was settled. The budget is full again once that passes where the break was."""
        self.stuck_at = now + self._policy.stuck
        if judged > self._broke_at:
            self._attempts = self._refusals = 0

    def broke(self, fault: Fault, judged: int, lived: float, now: float) -> None:
        """A stream broke after `lived` seconds; silent callers' streams prove by age that they
        worked.
        """
        if lived >= self._policy.alive:
            self._attempts = self._refusals = 0
        self._attempts += 1
        self._refusals += fault is Fault.AUDIO
        self._broke_at = judged
        self.retry_at = now + self._policy.backoff.pause(self._key, self._attempts)

    @property
    def refused(self) -> bool:
        """The API has refused this audio as often as may be."""
        return self._refusals >= self._policy.attempts

    def park(self, outages: int) -> None:
        """The breaker is open, and has seen this many outages."""
        self._outages = outages

    def unpark(self, outages: int, now: float) -> None:
        """The breaker is closed. An outage meanwhile was nobody's stuckness."""
        if outages != self._outages:
            self.stuck_at = now + self._policy.stuck
        self.retry_at = now + self._policy.backoff.pause(self._key, 1)
