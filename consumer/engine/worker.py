"""One session at work: performs what the session asks for, and wakes it when its time comes.

Everything here is synchronous. Waiting is done by the pumps, the outlet and the replayer, and none
of them can hold the poll loop up.
"""

import asyncio
from collections.abc import Callable, Mapping

from consumer.codec.records import decode_chunk
from consumer.core.checkpoint import Ending, SessionCheckpoint
from consumer.core.events import (
    Action,
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    Cancel,
    EndMarked,
    Event,
    Fetch,
    HalfClose,
    OpenStream,
    Released,
    SendAudio,
    StreamBroke,
    TimePassed,
)
from consumer.core.offsets import Lane
from consumer.core.policy import StreamPolicy
from consumer.core.session import Session
from consumer.core.states import State
from consumer.engine.accounts import Accounts
from consumer.engine.egress import Egress, Home
from consumer.engine.kit import Kit
from consumer.engine.pump import Pump
from consumer.engine.replayer import Replayer
from consumer.errors import Fault, RecordError
from consumer.model import AudioChunk, EndReason, Milliseconds, Offset, Record, SessionKey

_TIME_PASSED = TimePassed()
_GRAIN = 0.001
"""Seconds to the next alarm at least: loops ring up to their resolution early, again and again."""


class Worker:
    """began: time stamp of the first record. newest: the last record, timestamp and arrived: of it.
    heard: topic time as it stood then. over: told when the session is closed.
    """

    def __init__(  # noqa: PLR0917 - it is handed its parts, once
        self,
        key: SessionKey,
        session: Session,
        lane: Lane,
        home: Home,
        kit: Kit,
        replayer: Replayer,
        over: "Callable[[Worker], None]",
    ) -> None:
        self.key = key
        self.session = session
        self.lane = lane
        self.began = self.timestamp = self.heard = Milliseconds(0)
        self.newest = Offset(-1)
        self.arrived = 0.0
        self._ending: Ending | None = None
        self._home = home
        self._kit = kit
        self._replayer = replayer
        self._over = over
        self._pump: Pump | None = None
        self._record: Record | None = None
        self._egress = Egress(key, lane, home, kit, replayer, closed=self._close)
        self._egress.unknown = not session.released
        self._timer: asyncio.TimerHandle | None = None
        session_policy = kit.policies.session
        self._linger = session_policy.coalesce.linger
        self._calm = _calm(session_policy.stream)
        self._backlog = 0
        self._held = 0
        self._full = False
        self._accounts = Accounts(key, session, kit)
        self._dropped = False

    def arrive(self, record: Record, chunk: AudioChunk) -> None:
        """The session's next record."""
        self.newest = chunk.offset
        self.timestamp = max(self.timestamp, chunk.timestamp)
        self.arrived = now = self._kit.clock.monotonic()
        if self._dropped:
            return
        self._record = record
        self._step(AudioArrived(chunk), now)
        self._record = None
        self._weigh(now)
        if self._may_oversleep(now):
            self._arm(now)

    def end(self, reason: EndReason, timestamp: Milliseconds, offset: Offset | None = None) -> None:
        """The session gets no more audio. offset: of the record that says so and nothing else."""
        if offset is None:
            self._ending = Ending(reason, timestamp, self.newest)
            self._egress.changed = True
        else:
            self.newest = offset
        self.tell(EndMarked(reason, timestamp, offset))

    def go_on(self, checkpoint: SessionCheckpoint) -> None:
        """Stand where another owner has stood."""
        self.began, self.timestamp = checkpoint.began, checkpoint.heard
        self.newest = Offset(checkpoint.next - 1)
        self.arrived = self._kit.clock.monotonic()
        self._ending = checkpoint.ending
        self.outlived(checkpoint.next)

    def outlived(self, offset: Offset) -> bool:
        """End the session if its end is known and lies before this record; returns whether."""
        ending = self._ending
        if ending is None or self.session.ending or ending.last >= offset:
            return False
        self.tell(EndMarked(ending.reason, ending.timestamp, None))
        return True

    def checkpoint(self) -> SessionCheckpoint | None:
        """What a new owner needs to go on from here; None when the last one still says it all."""
        if not self._egress.changed:
            return None
        self._egress.changed = False
        return self._egress.braced or self._snapshot()

    def _snapshot(self) -> SessionCheckpoint:
        return self.session.checkpoint(self.began, self.timestamp, self._ending)

    def release(self) -> None:
        """Nobody is before this session any more."""
        self._egress.unknown = False
        self.tell(Released())

    def tell(self, event: Event) -> None:
        """Hand an event to the session and do what it asks for."""
        if self._dropped:
            return
        now = self._kit.clock.monotonic()
        self._catch_up(now)
        self._step(event, now)
        self._weigh(now)
        if type(event) is AudioTaken:
            self._accounts.taken()
            if not self._may_oversleep(now):
                return
        self._arm(now)

    def _catch_up(self, now: float) -> None:
        """Tell what was written before anything is decided by it."""
        taken = self._pump.taken() if self._pump is not None else None
        if taken is not None:
            self._step(taken, now)

    def _step(self, event: Event, now: float) -> None:
        if self.session.state is State.CLOSED:
            return
        if _loses(event) or self.session.gives_up(now):
            self._egress.brace(self._snapshot)
        tally = self.session.tally
        breaks = tally.breaks
        for action in self.session.handle(event, now):
            self._perform(action)
        if tally.breaks != breaks:
            self._accounts.broke(event)

    def drop(self) -> None:
        """Forget the session where it stands: somebody else goes on, or nobody does."""
        self._dropped = True
        self._egress.drop()
        self._stop_timer()
        if self._pump is not None:
            self._pump.cancel()
        self._home.weigh(-self._backlog, -self._held)
        self._backlog = self._held = 0
        self._home.fill(-self._full)
        self._full = False
        self.report()
        self._kit.breaker.left(self.key)

    def _perform(self, action: Action) -> None:
        if isinstance(action, SendAudio):
            self._open_pump.push(action.audio)
        elif isinstance(action, OpenStream):
            self._open(action)
        elif isinstance(action, HalfClose):
            self._open_pump.push(None)
        elif isinstance(action, Cancel):
            self._open_pump.cancel()
        elif isinstance(action, Fetch):
            home = self._home.partition
            self._replayer.request(home, action.offsets, self._replayed)
        else:
            self._egress.let_out(action, self._record)

    @property
    def _open_pump(self) -> Pump:
        assert self._pump is not None, "the session has opened a stream before"  # noqa: S101 - held by the state machine
        return self._pump

    def _open(self, action: OpenStream) -> None:
        self._pump = Pump(action.stream, action.config, self._kit, self.tell, self._home.room)
        self._pump.start(f"stream {action.stream} of {self.key}")

    def _replayed(self, records: Mapping[Offset, Record | None]) -> None:
        for offset, record in records.items():
            self.tell(AudioReplayed(offset, self._again(record)))

    def _again(self, record: Record | None) -> AudioChunk | None:
        """The chunk of a record that was understood before; None when another took its place."""
        if record is None or record.key != self.key.encode():
            return None
        try:
            return decode_chunk(record, self._kit.defaults)
        except RecordError:
            return None

    def _close(self) -> None:
        self._stop_timer()
        self._kit.metrics.count("sessions_ended")
        self.report()
        self._kit.breaker.left(self.key)
        self._over(self)

    def report(self) -> None:
        """Add what the session has counted since the last report to the metrics."""
        self._accounts.report()

    def _weigh(self, now: float) -> None:
        backlog, held = self.session.backlog(now), self.session.held
        if backlog != self._backlog or held != self._held:
            self._home.weigh(backlog - self._backlog, held - self._held)
            self._backlog, self._held = backlog, held
        elif not self._full:
            return
        full = self.session.full(now)
        if full is not self._full:
            self._home.fill(full - self._full)
            self._full = full

    def _may_oversleep(self, now: float) -> bool:
        """Whether audio that arrived or was taken may bring a deadline before the alarm set.

        What deadline these bring is some way off, and they come with every few chunks.
        """
        timer = self._timer
        if timer is None:
            return True
        return timer.when() > now + (self._linger if self.session.lingers else self._calm)

    def _arm(self, now: float) -> None:
        """Wake up in time. An alarm that is too early is left: it finds out and sets the next.

        While a stream is open there always is one as near as any deadline that audio may bring, so
        that audio need not set it.
        """
        deadline = self.session.deadline
        if deadline is None or self.session.state is State.CLOSED:
            return
        if self.session.streaming:
            deadline = min(deadline, now + self._calm)
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(loop.time() + max(deadline - now, _GRAIN), self._ring)

    def _ring(self) -> None:
        self._timer = None
        try:
            self.poke()
        except Exception as error:
            self._kit.fail(error)

    def poke(self) -> None:
        """Time has passed, or the breaker has changed."""
        self.tell(_TIME_PASSED)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _loses(event: Event) -> bool:
    """Records may have to be read again after this, to be dead-lettered."""
    if type(event) is StreamBroke:
        return event.fault is Fault.AUDIO
    return type(event) is AudioReplayed and event.chunk is None


def _calm(policy: StreamPolicy) -> float:
    """Seconds to the nearest deadline that arriving or taken audio can bring, unless it lingers."""
    times = [policy.stall_grace, policy.stall_timeout, policy.horizon, policy.cut_patience]
    return min([*times, 0.9 * policy.limit] if policy.limit else times)
