"""Where a session is in its life, and what follows from that after every event.

An event changes what is known; then the state takes its step, and the next state its own, until
nothing changes any more. Every change is checked against the transition table.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from consumer.core.breaker import Breaker
from consumer.core.events import (
    Action,
    Cancel,
    Close,
    EndMarked,
    Event,
    Publish,
    Settle,
    StreamBroke,
)
from consumer.core.identity import Identity
from consumer.core.outflow import Outflow
from consumer.core.patience import Patience
from consumer.core.policy import RetryPolicy
from consumer.core.states import TRANSITIONS, State
from consumer.core.tally import Tally
from consumer.errors import Fault, LocalProtocolError
from consumer.model import Frames, Milliseconds

RESTING = frozenset({State.PARKED, State.POISONED, State.CLOSED})
"""No stream will take audio soon, so none is kept in memory."""


class Life:
    """state: where the session is. released: streams may be opened. draining: no more of them.
    started_at: time stamp of its first audio. ended: its end mark.
    """

    def __init__(
        self,
        identity: Identity,
        policy: RetryPolicy,
        breaker: Breaker,
        outflow: Outflow,
        tally: Tally,
    ) -> None:
        self.state = State.IDLE
        self.released = True
        self.draining = False
        self.started_at: Milliseconds | None = None
        self.ended: EndMarked | None = None
        self.patience = Patience(policy, identity.key)
        self._identity = identity
        self._breaker = breaker
        self._outflow = outflow
        self._intake = outflow.intake
        self._judgement = outflow.judgement
        self._tally = tally
        self._allowed: frozenset[State] = frozenset()

    @property
    def unjudged(self) -> bool:
        """Some audio needs more work."""
        return self._intake.tape.end > self._judgement.judged

    def meet(self, event: Event) -> None:
        """An event happens. Raises LocalProtocolError when the state does not allow it."""
        allowed = TRANSITIONS[self.state].get(type(event))
        if allowed is None:
            raise LocalProtocolError(f"{type(event).__name__} in state {self.state}")
        self._allowed = allowed

    def become(self, state: State) -> None:
        """Change. Raises LocalProtocolError when the event that is met does not allow it."""
        if state not in self._allowed:
            raise LocalProtocolError(f"{self.state} can't become {state} here")
        self.state = state

    def judge(self, frame: Frames | None, now: float) -> None:
        """Everything below this frame is judged."""
        if frame is not None and self._judgement.advance(frame):
            self.patience.progress(frame, now)

    def broke(self, event: StreamBroke, now: float, out: list[Action]) -> None:
        """The open stream is gone; wait and try again, unless the API refuses this audio."""
        lived = now - self._outflow.live.opened_at
        detail = f"{event.code}: {event.detail}"
        self._outflow.stream = None
        self._judgement.drop_hold()
        self._tally.breaks += 1
        self.patience.broke(event.fault, self._judgement.judged, lived, now)
        self._breaker.failed(self._identity.key, event.fault, detail, now)
        refused = event.fault is Fault.AUDIO and self.patience.refused
        if refused and self._breaker.may_poison(now):
            self._poison("refused", detail, now, out)
        else:
            self.become(State.BACKOFF)

    def release(self, now: float, out: list[Action]) -> None:
        """Nobody under the same key is before it any more."""
        self.released = True
        self.patience.begin(now)
        self.announce(out)

    def announce(self, out: list[Action]) -> None:
        """Say that the session has started, once it has audio and is on its own."""
        if self.released and self.started_at is not None:
            config = self._intake.timeline.config_at(0)
            out.append(Publish(self._identity.started(config, self.started_at)))

    def follow(self, now: float, out: list[Action]) -> None:
        """Do what follows from all that is known."""
        held = self._judgement.held_until
        if held is not None and now >= held:
            self.judge(self._judgement.release(), now)
        if self._is_stuck(now):
            self._give_up(now, out)
        before = None
        while before is not self.state:
            before = self.state
            self._STEPS[before](self, now, out)
        self._finish_if_over(out)
        below = self._intake.settle(self._judgement.judged)
        if below is not None:
            out.append(Settle(below))

    def _rest(self, now: float, out: list[Action]) -> None:
        if self.unjudged and self.released and not self.draining:
            self._open(now, out)

    def _open(self, now: float, out: list[Action]) -> None:
        if self._breaker.allows:
            self._outflow.open(now, out)
            self.become(State.STREAMING)
        else:
            self._park()

    def _stream_on(self, now: float, out: list[Action]) -> None:
        if self._outflow.stalled(now):
            self._abandon("the stream took no audio", now, out)
            return
        finish = self.ended is not None or self.draining
        if self._outflow.advance(now, out, finish=finish):
            self.become(State.CLOSING)

    def _await_ok(self, now: float, out: list[Action]) -> None:
        if self._outflow.overdue(now):
            self._abandon("no OK came after the half-close", now, out)

    def _wait(self, now: float, _out: list[Action]) -> None:
        if not self._breaker.allows:
            self._park()
        elif now >= self.patience.retry_at:
            self.become(State.IDLE)

    def _park(self) -> None:
        self.patience.park(self._breaker.outages)
        self.become(State.PARKED)

    def _unpark(self, now: float, _out: list[Action]) -> None:
        if self._breaker.allows:
            self.patience.unpark(self._breaker.outages, now)
            self.become(State.BACKOFF)

    def _abandon(self, why: str, now: float, out: list[Action]) -> None:
        number = self._outflow.live.number
        out.append(Cancel(number))
        self.broke(StreamBroke(number, Fault.TRANSIENT, "DEADLINE_EXCEEDED", why), now, out)

    def _is_stuck(self, now: float) -> bool:
        """Its audio waits too long, and neither a predecessor nor our own end is in its way."""
        if now < self.patience.stuck_at or self.state in RESTING:
            return False
        free = self.released and not self.draining
        return free and self.unjudged and self._judgement.held_until is None

    def _give_up(self, now: float, out: list[Action]) -> None:
        """In an outage, or when too many are stuck at once, it gets as much time again."""
        if self._breaker.may_poison(now):
            self._outflow.cancel(out)
            self._poison("stuck", "none of its audio was judged for too long", now, out)
        else:
            self.patience.begin(now)

    def _poison(self, reason: str, detail: str, now: float, out: list[Action]) -> None:
        self._intake.give_up(reason, detail, out)
        self.judge(self._intake.tape.end, now)
        self.become(State.POISONED)

    def _finish_if_over(self, out: list[Action]) -> None:
        """An ended session whose audio is all judged needs no stream, whatever it waits for."""
        ended = self.ended
        if ended is None or self._outflow.stream is not None:
            return
        if self.unjudged or not self.released:
            return
        if self.started_at is not None:
            self._tally.streams = self._outflow.opened
            audio_ms = self._intake.timeline.milliseconds(self._intake.tape.end)
            report = self._identity.ended(ended.reason, ended.timestamp, self._tally, audio_ms)
            out.append(Publish(report))
        below = self._intake.settle_all()
        if below is not None:
            out.append(Settle(below))
        out.append(Close())
        self.become(State.CLOSED)

    def _stay(self, _now: float, _out: list[Action]) -> None:
        """Only an event leads on from here."""

    _STEPS: ClassVar[Mapping[State, "Callable[[Life, float, list[Action]], None]"]] = {
        State.IDLE: _rest,
        State.STREAMING: _stream_on,
        State.CLOSING: _await_ok,
        State.BACKOFF: _wait,
        State.PARKED: _unpark,
        State.POISONED: _stay,
        State.CLOSED: _stay,
    }
