"""When a session that gets no records is over.

While a partition is behind, time is what its records say: a consumer that was away for an hour must
not end every call, and one that reads an hour in a minute must not keep them. Only a partition
that is caught up goes by the wall clock.
"""

from collections import deque

from consumer.core.policy import IdlePolicy
from consumer.model import Milliseconds, SessionKey

_WITNESSES = 3
"""Keys that must agree before topic time takes a leap: the one that leaps and two others."""
_GRACE_MS = 5_000
"""Topic time after a leap in which whoever goes on is heard again, whatever its clock says."""


class PartitionClock:
    """Topic time of a partition, and since when it is known to have nothing more to give."""

    __slots__ = ("_caught_up_since", "_count", "_floor", "_leaps", "_looks", "_only", "_timeout_ms",
                 "topic_time")  # fmt: skip

    def __init__(self, policy: IdlePolicy) -> None:
        self._timeout_ms = int(policy.timeout * 1000)
        self.topic_time = Milliseconds(-1)
        self._floor = 0  # nobody counts as silent since before this topic time
        self._only: SessionKey | None = None
        self._leaps: dict[SessionKey, int] = {}
        self._count = -1
        self._looks: deque[tuple[int, float]] = deque(maxlen=4)
        self._caught_up_since: float | None = None

    def observe(self, key: SessionKey, timestamp: Milliseconds, wall: Milliseconds) -> None:
        """A record of this key was read. Its time counts at most as the wall's."""
        moment = min(timestamp, wall)
        if self.topic_time < 0:
            self._only = key
            self._floor = moment
        elif key != self._only:
            self._second(moment)
        if moment <= self.topic_time:
            return
        if self.topic_time >= 0 and moment - self.topic_time > self._timeout_ms:
            self._leap(key, moment)
        else:
            self.topic_time = Milliseconds(moment)
            self._leaps.clear()

    def _second(self, moment: int) -> None:
        """Nothing has confirmed the first key's clock so far: of the two the lower one counts."""
        only, self._only = self._only, None
        if only is not None and self.topic_time - moment > self._timeout_ms:
            self._leaps = {only: self.topic_time}
            self.topic_time = Milliseconds(moment)
            self._floor = moment

    def _leap(self, key: SessionKey, moment: int) -> None:
        self._leaps[key] = moment
        if len(self._leaps) >= _WITNESSES:
            self.topic_time = Milliseconds(min(self._leaps.values()))
            self._floor = self.topic_time - self._timeout_ms + min(_GRACE_MS, self._timeout_ms)
            self._leaps.clear()

    def look(self, fetches: int, now: float, *, at_end: bool) -> None:
        """Note how many fetches have come back, and whether they left nothing to read.

        The newest of `fetches` was sent after the one before it came back, which was after any
        look that had not counted that one yet.
        """
        if fetches != self._count:
            self._count = fetches
            self._looks.append((fetches, now))
        else:
            self._looks[-1] = (fetches, now)
        if not at_end:
            self._caught_up_since = None
            return
        earlier = [at for count, at in self._looks if count <= fetches - 2]
        if earlier:
            self._caught_up_since = earlier[-1]

    def unread(self) -> None:
        """The partition is left out of the fetch, so nothing is known of its end."""
        self._caught_up_since = None
        self._looks.clear()
        self._count = -1

    def idle(self, heard: Milliseconds, arrived: float) -> bool:
        """A session that was last heard at this topic time, and at `arrived`, is over."""
        if self.topic_time - max(heard, self._floor) >= self._timeout_ms:
            return True
        since = self._caught_up_since
        return since is not None and since - arrived >= self._timeout_ms / 1000

    def parted(self, before: Milliseconds, after: Milliseconds, wall: Milliseconds) -> bool:
        """Two records of one key lie too far apart to be of one session."""
        return min(after, wall) - before >= self._timeout_ms
