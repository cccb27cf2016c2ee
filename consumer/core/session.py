"""The life of one session, behind one door.

Nothing settles on a guess: only a result at the governing level, an OK after our half-close or a
dead letter does it. Audio that gets none of these in time makes the stream roll over, which asks
for the OK. Time is an argument and every wait has its deadline, so nothing here needs a loop.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from consumer.core.breaker import Breaker
from consumer.core.events import (
    Action,
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    Close,
    Decoder,
    DrainRequested,
    EndMarked,
    Event,
    Publish,
    Released,
    ResultArrived,
    Settle,
    StreamBroke,
    StreamEnded,
    TimePassed,
)
from consumer.core.flow import Mark
from consumer.core.identity import Identity
from consumer.core.intake import Intake
from consumer.core.judgement import Judgement
from consumer.core.outflow import Outflow
from consumer.core.patience import Patience
from consumer.core.policy import SessionPolicy
from consumer.core.states import TRANSITIONS, State
from consumer.core.stream import LiveStream
from consumer.core.tally import Tally
from consumer.errors import Fault, LocalProtocolError
from consumer.model import Frames, LevelChoice, Milliseconds

_TAKING = frozenset({State.IDLE, State.STREAMING, State.CLOSING})
_RESTING = frozenset({State.PARKED, State.POISONED, State.CLOSED})


class Session:
    """One incarnation of one key. state: where it is. tally: what it has done.

    released: streams may be opened; else only after the event Released.
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
    ) -> None:
        self.state = State.IDLE
        self.tally = Tally()
        self._identity = identity
        self._patience = Patience(policy.retry, identity.key)
        self._settle_hold = policy.stream.settle_hold
        self._memory_policy = policy.memory
        self._breaker = breaker
        self._memory = memory
        self._released = released
        self._intake = Intake(policy, decoder, self.tally)
        self._judgement = Judgement()
        self._outflow = Outflow(policy, self._intake, self._judgement)
        self._started_at: Milliseconds | None = None
        self._ended: EndMarked | None = None
        self._draining = False
        self._allowed: frozenset[State] = frozenset()
        self._now = 0.0
        self._out: list[Action] = []

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take in what happened at `now` (monotonic seconds); returns what to do, in order.

        Raises LocalProtocolError for an event that the state does not allow.
        """
        allowed = TRANSITIONS[self.state].get(type(event))
        if allowed is None:
            raise LocalProtocolError(f"{type(event).__name__} in state {self.state}")
        self._allowed, self._now = allowed, now
        out: list[Action] = []
        self._out = out
        self._HANDLERS[type(event)](self, event)
        self._advance()
        return out

    @property
    def held(self) -> int:
        """Bytes of audio in memory."""
        return self._intake.tape.held

    @property
    def ending(self) -> bool:
        """The session takes no more audio."""
        return self._ended is not None

    @property
    def streaming(self) -> bool:
        """A stream is open."""
        return self._outflow.stream is not None

    def backlog(self, now: float) -> int:
        """Bytes in memory that a working stream has yet to take: what may hold a partition back."""
        return self._outflow.backlog(now) if self.state in _TAKING else 0

    @property
    def deadline(self) -> float | None:
        """When TimePassed is due, None when only an event can change anything.

        What was due when the session was last looked at has been done, or waits for an event.
        """
        times = self._outflow.deadlines(closing=self.state is State.CLOSING)
        times.append(self._judgement.held_until)
        if self.state is State.BACKOFF and not self._draining:
            times.append(self._patience.retry_at)
        if self._unjudged and self.state not in _RESTING:
            times.append(self._patience.stuck_at)
        return min((at for at in times if at is not None and at > self._now), default=None)

    # What happened.

    def _audio_arrived(self, event: AudioArrived) -> None:
        if self._ended is not None:
            raise LocalProtocolError("audio after the end of its session")
        chunk = event.chunk
        self._identity.learn(chunk)
        decoded = self._intake.admit(chunk, self._out)
        if decoded is None:
            return
        if self._intake.changes(decoded, chunk) and self.state is State.POISONED:
            self._become(State.IDLE)
        if not self._unjudged:
            self._patience.begin(self._now)
        self._outflow.arriving(self._now)
        self._intake.store(
            chunk,
            decoded,
            sent=self._outflow.position,
            cap=self._cap,
            keep=self.state not in _RESTING,
        )
        if self._started_at is None and decoded.audio:
            self._started_at = chunk.timestamp
            self._publish_start()
        if self.state is State.POISONED:
            detail = "earlier audio of the session was given up"
            self._intake.give_up("poisoned", detail, self._out)
            self._judge(self._intake.tape.end)

    def _audio_replayed(self, event: AudioReplayed) -> None:
        at = self._outflow.position
        self._intake.replayed(event, sent=at, cap=self._cap, out=self._out)

    def _end_marked(self, event: EndMarked) -> None:
        if self._ended is not None:
            raise LocalProtocolError("a second end of one session")
        self._ended = event
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
        self._judge(self._judgement.release())
        placed = self._judgement.place(message, stream.clock, stream.sent)
        self.tally.dropped += len(message.results) - len(placed)
        level = stream.config.level
        for result, span in placed:
            found = self._identity.result(result, span, message, stream.number, self._intake)
            if result.level is level.governing:
                self.tally.judged_ms += found.end_ms - found.start_ms
            self.tally.result(found.final_label, found.pid)
            self._out.append(Publish(found))
        reached = self._judgement.reach(message, stream.clock, level, stream.taken)
        if reached > self._judgement.judged:
            self._reach(reached, level)

    def _reach(self, frame: Frames, level: LevelChoice) -> None:
        """Settle, now or a moment later, what the governing level has judged."""
        if level is LevelChoice.ALL:
            self._judgement.hold(frame, self._now + self._settle_hold)
        else:
            self._judge(frame)
        self._outflow.cut_if_near_limit(self._now)

    def _stream_ended(self, event: StreamEnded) -> None:
        stream = self._outflow.stream
        if stream is None or stream.number != event.stream:
            return
        if self.state is not State.CLOSING or not event.half_closed:
            self._break(stream, Fault.TRANSIENT, "OK", "the stream ended before it was half-closed")
            return
        self._breaker.worked()
        self._judgement.drop_hold()
        self._outflow.stream = None
        self._become(State.IDLE)
        self._judge(stream.sent)

    def _stream_broke(self, event: StreamBroke) -> None:
        stream = self._outflow.stream
        if stream is not None and stream.number == event.stream:
            self._break(stream, event.fault, event.code, event.detail)

    def _release(self, _event: Released) -> None:
        self._released = True
        self._publish_start()

    def _drain(self, _event: DrainRequested) -> None:
        self._draining = True

    def _time_passed(self, _event: TimePassed) -> None:
        """Every step looks at the time anyway."""

    # What follows.

    def _advance(self) -> None:
        held = self._judgement.held_until
        if held is not None and self._now >= held:
            self._judge(self._judgement.release())
        if self._is_stuck() and self._breaker.may_poison(self._now):
            self._outflow.cancel(self._out)
            self._poison("stuck", "none of its audio was judged for too long")
        before = None
        while before is not self.state:
            before = self.state
            self._STEPS[before](self)
        below = self._intake.settle(self._judgement.judged)
        if below is not None:
            self._out.append(Settle(below))

    def _rest(self) -> None:
        if not self._released:
            return
        if not self._unjudged:
            self._finish_if_ended()
        elif not self._draining:
            self._open()

    def _open(self) -> None:
        if self._breaker.allows:
            self._outflow.open(self._now, self._out)
            self._become(State.STREAMING)
        else:
            self._park()

    def _stream_on(self) -> None:
        if self._outflow.stalled(self._now):
            self._abandon("the stream took no audio")
            return
        finish = self._ended is not None or self._draining
        if self._outflow.advance(self._now, self._out, finish=finish):
            self._become(State.CLOSING)

    def _await_ok(self) -> None:
        if self._outflow.overdue(self._now):
            self._abandon("no OK came after the half-close")

    def _wait(self) -> None:
        if not self._breaker.allows:
            self._park()
        elif self._now >= self._patience.retry_at and not self._draining:
            self._open()

    def _park(self) -> None:
        self._patience.park(self._breaker.outages)
        self._become(State.PARKED)

    def _unpark(self) -> None:
        if self._breaker.allows:
            self._patience.unpark(self._breaker.outages, self._now)
            self._become(State.BACKOFF)

    def _abandon(self, why: str) -> None:
        stream = self._outflow.live
        self._outflow.cancel(self._out)
        self._break(stream, Fault.TRANSIENT, "DEADLINE_EXCEEDED", why)

    def _break(self, stream: LiveStream, fault: Fault, code: str, detail: str) -> None:
        self._outflow.stream = None
        self._judgement.drop_hold()
        self.tally.breaks += 1
        lived = self._now - stream.opened_at
        self._patience.broke(fault, self._judgement.judged, lived, self._now)
        self._breaker.failed(self._identity.key, fault, f"{code}: {detail}", self._now)
        if self._patience.refused and self._breaker.may_poison(self._now):
            self._poison("refused", f"{code}: {detail}")
        else:
            self._become(State.BACKOFF)

    def _is_stuck(self) -> bool:
        late = self._now >= self._patience.stuck_at
        waiting = late and self._unjudged and self._released
        return waiting and self.state not in _RESTING and self._breaker.allows

    def _poison(self, reason: str, detail: str) -> None:
        self._intake.give_up(reason, detail, self._out)
        self._judgement.drop_hold()
        self._judge(self._intake.tape.end)
        self._become(State.POISONED)

    def _judge(self, frame: Frames | None) -> None:
        if frame is not None and self._judgement.advance(frame):
            self._patience.progress(frame, self._now)

    def _finish_if_ended(self) -> None:
        ended = self._ended
        if ended is None or not self._released:
            return
        if self._started_at is not None:
            self.tally.streams = self._outflow.opened
            audio_ms = self._intake.timeline.milliseconds(self._intake.tape.end)
            report = self._identity.ended(ended.reason, ended.timestamp, self.tally, audio_ms)
            self._out.append(Publish(report))
        below = self._intake.settle_all()
        if below is not None:
            self._out.append(Settle(below))
        self._out.append(Close())
        self._become(State.CLOSED)

    def _stay(self) -> None:
        """Nothing follows the end."""

    def _publish_start(self) -> None:
        config = self._intake.timeline.config
        if self._released and self._started_at is not None and config is not None:
            self._out.append(Publish(self._identity.started(config, self._started_at)))

    def _become(self, state: State) -> None:
        if state not in self._allowed:
            raise LocalProtocolError(f"{self.state} can't become {state} here")
        self.state = state

    @property
    def _unjudged(self) -> bool:
        return self._intake.tape.end > self._judgement.judged

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
    _STEPS: ClassVar[Mapping[State, Callable[["Session"], None]]] = {
        State.IDLE: _rest,
        State.STREAMING: _stream_on,
        State.CLOSING: _await_ok,
        State.BACKOFF: _wait,
        State.PARKED: _unpark,
        State.POISONED: _finish_if_ended,
        State.CLOSED: _stay,
    }
