"""What leaves a session, in order: publications, dead letters, settles, and its end.

A dead letter is the record as it was. Where that is not at hand any more it is read again, and all
that the session lets out meanwhile waits behind it.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from consumer.codec.letters import encode_letter
from consumer.core.checkpoint import SessionCheckpoint
from consumer.core.events import Close, DeadLettered, Publish, Settle
from consumer.core.offsets import Lane
from consumer.engine.kit import Kit
from consumer.engine.replayer import Replayer
from consumer.model import (
    DeadLetter,
    Offset,
    Outgoing,
    Partition,
    Record,
    SessionKey,
    SessionResult,
)

Leaving = Publish | DeadLettered | Settle | Close

_GIVEN_UP = frozenset({"refused", "stuck"})
_LABELS = frozenset({"bonafide", "spoofed"})
"""What the API says today. A label that it makes up must not become a time series of its own."""
_SLICE = 64
"""Records read again at a time."""


class Home(Protocol):
    """The partition that a session belongs to."""

    partition: Partition
    lettered: set[Offset]

    def put(self, record: Outgoing) -> None:
        """Publish a record."""
        ...

    def settle(self, lane: Lane, below: Offset) -> None:
        """Settle the lane's offsets once what was put before is acknowledged."""
        ...

    def then(self, done: Callable[[], None]) -> None:
        """Call this once what was put before is acknowledged."""
        ...

    async def room(self) -> None:
        """Wait until more may be published."""
        ...

    def weigh(self, backlog: int, held: int) -> None:
        """A session's bytes have changed by this much."""
        ...

    def fill(self, sessions: int) -> None:
        """So many more sessions have enough to catch up with."""
        ...


class Egress:
    """One session's way out. closed: called when all before the session's end has gone out.

    changed: something went out since the last checkpoint. braced: the one from before what waits.
    unknown: the session has no checkpoint yet, since it waits for its predecessor.

    What waits is small: records that are read again are held a few at a time. Until all of it is
    out, what the session knows is ahead of what is published, so its checkpoint is an older one;
    letters that are written meanwhile are noted one by one.
    """

    def __init__(
        self,
        key: SessionKey,
        lane: Lane,
        home: Home,
        kit: Kit,
        replayer: Replayer,
        *,
        closed: Callable[[], None],
    ) -> None:
        self._key = key
        self._lane = lane
        self._home = home
        self._kit = kit
        self._replayer = replayer
        self._closed = closed
        self._corked: deque[Leaving] | None = None
        self._dropped = False
        self._brace: SessionCheckpoint | None = None
        self._noted: list[Offset] = []
        self.changed = False
        self.unknown = False

    @property
    def braced(self) -> SessionCheckpoint | None:
        """None when nothing waits."""
        return None if self._corked is None else self._brace

    def brace(self, snapshot: Callable[[], SessionCheckpoint]) -> None:
        """The next event may ask for letters that have to wait."""
        if self._corked is None:
            self._brace = snapshot()

    def let_out(self, action: Leaving, record: Record | None) -> None:
        """Do this when all before it is done. record: the one at hand, if any."""
        if self._corked is not None:
            self._corked.append(action)
            return
        self.changed = True
        if isinstance(action, Publish):
            self._publish(action)
        elif isinstance(action, Settle):
            self._home.settle(self._lane, action.below)
        elif isinstance(action, DeadLettered):
            self._dead_letter(action, record)
        else:
            self._closed()

    def _publish(self, action: Publish) -> None:
        now_ms, found = self._kit.clock.wall_ms(), action.publication
        if isinstance(found, SessionResult):
            metrics, late_ms = self._kit.metrics, max(0, now_ms - found.captured_at)
            label = found.final_label if found.final_label in _LABELS else "other"
            metrics.count("results_published", 1, found.level, label)
            metrics.observe("result_delay_seconds", late_ms / 1000, found.level)
            if action.waited is not None:
                metrics.observe("verdict_delay_seconds", action.waited, found.level)
        self._home.put(self._kit.encoder.encode(found, now_ms))

    def drop(self) -> None:
        """Let nothing out any more."""
        self._dropped = True

    def _dead_letter(self, action: DeadLettered, record: Record | None) -> None:
        if action.reason in _GIVEN_UP:
            self._kit.metrics.count("sessions_poisoned")
            self._kit.log.error(
                "session given up", session=self._key, reason=action.reason, detail=action.detail
            )
        if record is not None and action.offsets == (record.offset,):
            self._write(action, {record.offset: record})
            return
        self._corked = deque()
        self._read_again(action, 0)

    def _read_again(self, action: DeadLettered, done: int) -> None:
        """Write the letters from this one on, a few at a time: they may be hours of audio."""
        if not self._dropped:
            offsets = action.offsets[done : done + _SLICE]
            self._replayer.request(
                self._home.partition, offsets, partial(self._go_on, action, done)
            )

    def _go_on(
        self, action: DeadLettered, done: int, records: Mapping[Offset, Record | None]
    ) -> None:
        if self._dropped:
            return
        self._write(action, records)
        done += len(records)
        if done < len(action.offsets):
            self._home.then(partial(self._read_again, action, done))
            return
        waiting, self._corked = self._corked or deque(), None
        self._home.lettered.difference_update(self._noted)
        self._noted.clear()
        for each in waiting:
            self.let_out(each, None)

    def _write(self, action: DeadLettered, records: Mapping[Offset, Record | None]) -> None:
        fresh = {o: record for o, record in records.items() if o not in self._home.lettered}
        self._kit.metrics.count("dead_letters", len(fresh), action.reason)
        if self._corked is not None:
            self._noted += fresh
        if self._corked is not None or self.unknown:
            self._home.lettered.update(fresh)
        for offset, record in fresh.items():
            letter = DeadLetter(
                partition=self._home.partition,
                offset=offset,
                reason=action.reason,
                detail=action.detail,
                key=self._key.encode(),
                record=record,
                session=self._key,
            )
            self._home.put(encode_letter(letter, self._kit.dead_letter_topic))
