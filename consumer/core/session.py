"""The life of one session, behind one door.

Nothing settles on a guess: only a result at the governing level, an OK after our half-close or a
dead letter does it. Audio that gets none of these in time makes the stream roll over, which asks
for the OK. Time is an argument and every wait has its deadline, so nothing here needs a loop.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from consumer.core.breaker import Breaker
from consumer.core.checkpoint import Ending, SessionCheckpoint
from consumer.core.delays import Delays
from consumer.core.events import (
    Action,
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    Decoder,
    DrainRequested,
    EndMarked,
    Event,
    Publish,
    Released,
    ResultArrived,
    StreamBroke,
    StreamEnded,
    TimePassed,
)
from consumer.core.flow import Mark
from consumer.core.identity import Identity
from consumer.core.intake import Intake
from consumer.core.judgement import Judgement
from consumer.core.life import RESTING, Life
from consumer.core.outflow import Outflow
from consumer.core.policy import SessionPolicy
from consumer.core.states import State
from consumer.core.tally import Tally
from consumer.errors import Fault, LocalProtocolError
from consumer.model import Frames, LevelChoice, Milliseconds

_TAKING = frozenset({State.IDLE, State.STREAMING, State.CLOSING})


class Session:
    """One incarnation of one key. tally: what it has done. delays: how long it waits. released:
    streams may be opened, not only after the event Released. checkpoint: where another owner has
    left it, and the decoder.
    """

    def __init__(
        self,
        identity: Identity,
        policy: SessionPolicy,
        decoder: Decoder,
        breaker: Breaker,
        memory: Mark,
        *,
        released: bool = True,
        checkpoint: SessionCheckpoint | None = None,
    ) -> None:
        self.tally = Tally(checkpoint.tally if checkpoint is not None else None)
        self._identity = identity
        self._settle_hold = policy.stream.settle_hold
        self._memory_policy = policy.memory
        self._breaker = breaker
        self._memory = memory
        self._intake = Intake(policy, decoder, self.tally, checkpoint)
        self._judgement = Judgement()
        self._outflow = Outflow(policy, self._intake, self._judgement)
        self.delays = Delays(self._intake, self._outflow)
        self._life = Life(identity, policy.retry, breaker, self._outflow, self.tally)
        self._life.released = released
        if checkpoint is not None:
            self._go_on(checkpoint)
        self._now = 0.0
        self._out: list[Action] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take in what happened at `now` (monotonic seconds); returns what to do, in order.

        Raises LocalProtocolError for an event that the state does not allow.
        """
        self._life.meet(event)
        out: list[Action] = []
        self._now, self._out = now, out
        self._HANDLERS[type(event)](self, event)
        self._life.follow(now, out)
        return out

    def checkpoint(
        self, began: Milliseconds, heard: Milliseconds, ending: Ending | None
    ) -> SessionCheckpoint:
        """What a new owner needs to go on from here: time stamps of the first and newest record,
        and how it ended where no record says so.
        """
        life, judgement, identity = self._life, self._judgement, self._identity
        return SessionCheckpoint(
            key=identity.key,
            incarnation=identity.incarnation,
            resumed=identity.resumed,
            tenant=identity.tenant,
            meta=identity.meta,
            began=began,
            heard=heard,
            judged=judgement.judged,
            ends=judgement.ends,
            streams=self._outflow.opened,
            started_at=life.started_at if life.released else None,
            poisoned=life.state is State.POISONED,
            ending=ending,
            tally=self.tally.memory,
            **self._intake.memory()._asdict(),
        )

    def _go_on(self, checkpoint: SessionCheckpoint) -> None:
        self._judgement.judged = checkpoint.judged
        self._judgement.recall(checkpoint.ends)
        self._outflow.opened = checkpoint.streams
        self._life.started_at = checkpoint.started_at
        if checkpoint.poisoned:
            self._life.state = State.POISONED

    def gives_up(self, now: float) -> bool:
        """The next event may find that it has waited for too long."""
        return now >= self._life.patience.stuck_at and self._life.unjudged

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._life.state

    @property
    def released(self) -> bool:
        """Streams may be opened: nobody under the same key is before it."""
        return self._life.released

    @property
    def held(self) -> int:
        """Bytes of audio in memory."""
        return self._intake.tape.held

    @property
    def ending(self) -> bool:
        """The session takes no more audio."""
        return self._life.ended is not None

    @property
    def streaming(self) -> bool:
        """A stream is open."""
        return self._outflow.stream is not None

    @property
    def lingers(self) -> bool:
        """Some audio was not handed to a stream yet: the next deadline may be near."""
        return self._outflow.waiting > 0

    def backlog(self, now: float) -> int:
        """Bytes in memory that a working stream has yet to take: what may hold a partition back."""
        life = self._life
        if life.state not in _TAKING or not (life.released or self._breaker.allows):
            return 0
        return self._outflow.backlog(now)

    def full(self, now: float) -> bool:
        """A working stream has enough to catch up with: no more should be read for a moment."""
        return self.streaming and self._outflow.full(now)

    @property
    def deadline(self) -> float | None:
        """When TimePassed is due, None when only an event can change anything.

        What was due when the session was last looked at has been done, or waits for an event.
        """
        life = self._life
        times = self._outflow.deadlines(closing=life.state is State.CLOSING)
        times.append(self._judgement.held_until)
        if life.state is State.BACKOFF:
            times.append(life.patience.retry_at)
        if life.unjudged and life.state not in RESTING:
            times.append(life.patience.stuck_at)
        return min((at for at in times if at is not None and at > self._now), default=None)

    def _audio_arrived(self, event: AudioArrived) -> None:
        life, chunk = self._life, event.chunk
        if life.ended is not None:
            raise LocalProtocolError("audio after the end of its session")
        self._identity.learn(chunk)
        decoded = self._intake.admit(chunk, self._out)
        if decoded is None:
            return
        if self._intake.changes(decoded, chunk) and life.state is State.POISONED:
            life.become(State.IDLE)
        if not life.unjudged:
            life.patience.begin(self._now)
        self._outflow.arriving(self._now)
        self._intake.store(
            chunk,
            decoded,
            sent=self._outflow.position,
            cap=self._cap,
            keep=life.state not in RESTING,
        )
        if life.started_at is None and decoded.audio:
            life.started_at = chunk.timestamp
            life.announce(self._out)
        if life.state is State.POISONED:
            detail = "earlier audio of the session was given up"
            self._intake.give_up("poisoned", detail, self._out)
            life.judge(self._intake.tape.end, self._now)

    def _audio_replayed(self, event: AudioReplayed) -> None:
        at = self._outflow.position
        self._intake.replayed(event, sent=at, cap=self._cap, out=self._out)

    def _end_marked(self, event: EndMarked) -> None:
        if self._life.ended is not None:
            raise LocalProtocolError("a second end of one session")
        self._life.ended = event
        self._intake.mark_end(event)

    def _audio_taken(self, event: AudioTaken) -> None:
        stream = self._outflow.stream
        if stream is not None and stream.number == event.stream:
            stream.took(event.frames, self._now)

    def _result_arrived(self, event: ResultArrived) -> None:
        stream, message = self._outflow.stream, event.message
        if stream is None or stream.number != event.stream:
            return
        self._breaker.worked()
        stream.answered(self._now)
        self._life.judge(self._judgement.release(), self._now)
        placed = self._judgement.place(message, stream.clock, stream.sent)
        self.tally.dropped += len(message.results) - len(placed)
        level = stream.config.level
        for result, span in placed:
            found = self._identity.result(result, span, message, stream.number, self._intake)
            if result.level is level.governing:
                self.tally.judged(found.start_ms, found.end_ms)
            self.tally.result(found.final_label, found.pid)
            self._out.append(Publish(found, self.delays.waited(span.end, self._now)))
        reached = self._judgement.reach(message, stream.clock, level, stream.taken)
        if reached > self._judgement.judged:
            self._reach(reached, level)

    def _reach(self, frame: Frames, level: LevelChoice) -> None:
        """Settle, now or a moment later, what the governing level has judged."""
        if level is LevelChoice.ALL:
            self._judgement.hold(frame, self._now + self._settle_hold)
        else:
            self._life.judge(frame, self._now)
        self._outflow.cut_if_near_limit(self._now)

    def _stream_ended(self, event: StreamEnded) -> None:
        stream, life = self._outflow.stream, self._life
        if stream is None or stream.number != event.stream:
            return
        if life.state is not State.CLOSING or not event.half_closed:
            why = "the stream ended before it was half-closed"
            broke = StreamBroke(event.stream, Fault.TRANSIENT, "OK", why)
            life.broke(broke, self._now, self._out)
            return
        self._breaker.worked()
        self._judgement.drop_hold()
        self._outflow.stream = None
        life.become(State.IDLE)
        life.judge(stream.sent, self._now)

    def _stream_broke(self, event: StreamBroke) -> None:
        stream = self._outflow.stream
        if stream is not None and stream.number == event.stream:
            self._life.broke(event, self._now, self._out)

    def _release(self, _event: Released) -> None:
        self._life.release(self._now, self._out)

    def _drain(self, _event: DrainRequested) -> None:
        self._life.draining = True

    def _time_passed(self, _: TimePassed) -> None:
        """Every step does."""

    @property
    def _cap(self) -> int:
        memory = self._memory_policy
        return int(memory.held * memory.tight_share) if self._memory.over else memory.held

    _HANDLERS: ClassVar[Mapping[type[Any], Callable[["Session", Any], None]]] = {
        AudioArrived: _audio_arrived,
        AudioReplayed: _audio_replayed,
        AudioTaken: _audio_taken,
        DrainRequested: _drain,
        EndMarked: _end_marked,
        Released: _release,
        ResultArrived: _result_arrived,
        StreamBroke: _stream_broke,
        StreamEnded: _stream_ended,
        TimePassed: _time_passed,
    }
