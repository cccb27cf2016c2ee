"""Knows what a session may do: every action is checked here against the promises."""

from collections import deque

from consumer.core.breaker import Breaker
from consumer.core.events import (
    Action,
    Cancel,
    Close,
    DeadLettered,
    Fetch,
    HalfClose,
    OpenStream,
    Publish,
    SendAudio,
    Settle,
)
from consumer.core.policy import SessionPolicy
from consumer.core.session import Session
from consumer.core.states import State
from consumer.errors import Fault
from consumer.model import (
    AudioChunk,
    LevelChoice,
    Offset,
    Publication,
    SessionResult,
    StreamConfig,
    StreamNumber,
    StreamResult,
)
from tests.core.api import Ends, Expected, SimStream
from tests.core.call import Call, Fate

GIVEN_UP = frozenset({"refused", "stuck", "poisoned"})


class Oracle:
    """confirmed: the call frame below which the API has judged everything, or it was given up.

    stream and streams: the open one and all. asked: forgotten records wanted back. dead: dead
    letters. published: everything. settled_below: where settled records end.
    """

    def __init__(
        self, policy: SessionPolicy, session: Session, breaker: Breaker, *, released: bool
    ) -> None:
        self.call = Call(policy.sequence)
        self.stream: SimStream | None = None
        self.streams: list[SimStream] = []
        self.asked: deque[Offset] = deque()
        self.published: list[Publication] = []
        self.dead: dict[Offset, str] = {}
        self.settled_below = Offset(0)
        self.confirmed = 0
        self.closed = False
        self.released = released
        self.draining = False
        self.end_offset: Offset | None = None
        self._policy = policy
        self.session = session
        self._breaker = breaker
        self._hold: tuple[int, float] | None = None
        self._due: deque[Expected] = deque()
        self._must_die: set[Offset] = set()
        self._ends: Ends = {}
        self._refusals = 0
        self._waiting_since = 0.0
        self._broke_at = -1.0

    @property
    def open_stream(self) -> SimStream:
        """The open stream."""
        assert self.stream is not None, f"no stream is open in {self.session.state}"
        return self.stream

    @property
    def results(self) -> list[SessionResult]:
        """All results published."""
        return [p for p in self.published if isinstance(p, SessionResult)]

    # What the world does.

    def received(self, chunk: AudioChunk, now: float) -> None:
        """A record is about to be told."""
        if self.call.frames <= self.confirmed:
            self._waiting_since = now
        if self.call.add(chunk) in (Fate.LATE, Fate.UNREADABLE):
            self._must_die.add(chunk.offset)

    def look(self, now: float) -> None:
        """What was held for a moment counts once that is over."""
        if self._hold is not None and now >= self._hold[1]:
            self._release(now)

    def said(self, stream: SimStream, results: tuple[StreamResult, ...], now: float) -> None:
        """The API has sent a message."""
        self._release(now)
        expected = (stream.expect(result) for result in results)
        self._due.extend(due for due in expected if due is not None)
        reached = stream.judged(results)
        if reached <= self.confirmed:
            return
        if stream.config.level is LevelChoice.ALL:
            self._hold = (reached, now + self._policy.stream.settle_hold)
        else:
            self._confirm(reached, now)

    def ended_ok(self, stream: SimStream, now: float) -> None:
        """The stream ends with OK, which counts only after our half-close."""
        self.stream, self._hold = None, None
        if stream.half_closed:
            self._confirm(stream.base + stream.heard, now)
        else:
            self._broke_at = now

    def broke(self, fault: Fault, now: float) -> None:
        """The stream breaks."""
        self._gone(now)
        self._refusals += fault is Fault.AUDIO

    def moved(self) -> None:
        """Another owner takes over: the stream and what was asked for are gone, no pause is due."""
        self.stream, self._hold, self._broke_at = None, None, -1.0
        self.asked.clear()

    def _gone(self, now: float) -> None:
        self.stream, self._hold, self._broke_at = None, None, now

    def _release(self, now: float) -> None:
        held, self._hold = self._hold, None
        if held is not None:
            self._confirm(held[0], now)

    def _confirm(self, frame: int, now: float) -> None:
        if frame > self.confirmed:
            self.confirmed, self._waiting_since, self._refusals = frame, now, 0

    # What the session asks for.

    def check(self, actions: list[Action], now: float) -> None:
        """Everything that followed from one event."""
        for action in actions:
            assert not self.closed, "an action after Close"
            self._check(action, now)
        assert not self._due, "a result was not published"
        assert not self._must_die - self.dead.keys(), "a bad record was not dead-lettered"
        if self.session.state is State.POISONED:
            assert self._done() == self.call.frames, "given up without a dead letter"
            self.confirmed = self.call.frames
        due = self.session.deadline
        assert due is None or due > now, "a deadline that is over already"
        self._check_memory(now)

    def _check(self, action: Action, now: float) -> None:
        match action:
            case OpenStream(number, config):
                self._opened(number, config, now)
            case SendAudio(number, audio):
                self._sent(number, audio)
            case HalfClose(number):
                self._half_closed(number)
            case Cancel(number):
                assert self.open_stream.number == number
                self._gone(now)
            case Publish(publication):
                self._published(publication)
            case Settle(below):
                self._settled(below)
            case Fetch(offsets):
                self._fetched(offsets)
            case DeadLettered(offsets, reason, _):
                self._buried(offsets, reason, now)
            case Close():
                assert self.session.state is State.CLOSED
                self.closed = True

    def _opened(self, number: StreamNumber, config: StreamConfig, now: float) -> None:
        assert self.stream is None, "two streams at a time"
        assert number == len(self.streams)
        assert self.released, "a stream before the predecessor is over"
        assert not self.draining, "a stream while draining"
        assert self._breaker.allows, "a stream while the breaker is open"
        assert now > self._broke_at, "a stream without a pause after a break"
        assert self.call.frames > self.confirmed, "a stream for no audio"
        assert config == self.call.config(self.confirmed), "a stream of the wrong format"
        self.stream = SimStream(number, config, self.confirmed, dict(self._ends))
        self.streams.append(self.stream)

    def _sent(self, number: StreamNumber, audio: bytes) -> None:
        stream = self.open_stream
        assert stream.number == number, "audio on another stream than the open one"
        assert not stream.half_close_asked, "audio after the half-close"
        assert audio, "an empty message"
        assert len(audio) % 2 == 0, "a split sample"
        start = 2 * stream.base + len(stream.given)
        end = start + len(audio)
        assert self.call.audio[start:end] == audio, "not the call's audio"
        assert self.call.config(start // 2) == stream.config, "another format than the stream's"
        assert self.call.config(end // 2 - 1) == stream.config, "another format than the stream's"
        stream.given += audio
        stream.queue.append(audio)

    def _half_closed(self, number: StreamNumber) -> None:
        stream = self.open_stream
        assert stream.number == number
        assert not stream.half_close_asked, "half-closed twice"
        stream.half_close_asked = True
        stream.queue.append(None)

    def _published(self, publication: Publication) -> None:
        assert self.released, "published before the predecessor is over"
        if isinstance(publication, SessionResult):
            self._placed(publication)
        self.published.append(publication)

    def _placed(self, result: SessionResult) -> None:
        due = self._due.popleft()
        assert (result.level, result.task) == (due.level, due.task)
        assert result.start_ms == self.call.milliseconds(due.start), "starts elsewhere in the call"
        assert result.end_ms == self.call.milliseconds(due.end), "ends elsewhere in the call"
        assert result.clamped == due.clamped
        assert result.stream == self.open_stream.number
        first, last = result.offsets
        assert first <= last
        kind = (result.level, result.task)
        before = self.open_stream.published.get(kind, 0)
        assert result.start_ms >= self.call.milliseconds(before), "overlaps what was published"
        self._ends[kind] = max(self._ends.get(kind, 0), due.end)

    def _settled(self, below: Offset) -> None:
        assert below > self.settled_below, "the watermark moved back, or not at all"
        assert not self._due, "settled before it was published"
        for offset in self.call.pieces:
            if self.settled_below <= offset < below:
                self._check_settled(offset)
        if self.end_offset is not None and below > self.end_offset:
            assert self.session.state is State.CLOSED, "an end mark settles with its session"
        self.settled_below = below

    def _check_settled(self, offset: Offset) -> None:
        if offset in self.dead:
            return
        piece, done = self.call.pieces[offset], self._done()
        if self.session.state is State.CLOSED:
            assert self.call.frames <= done, "ended with audio unjudged"
        else:
            assert piece.needed <= done, f"{offset} was never judged"

    def _done(self) -> int:
        """The frame below which all audio is confirmed or dead."""
        done = self.confirmed
        for offset, piece in self.call.pieces.items():
            if piece.begin <= done < piece.end and offset in self.dead:
                done = piece.end
        return done

    def _fetched(self, offsets: tuple[Offset, ...]) -> None:
        assert offsets, "asked for nothing"
        assert not self.asked, "asked again before the answer"
        assert list(offsets) == sorted(set(offsets))
        assert all(o in self.call.pieces and o >= self.settled_below for o in offsets)
        self.asked.extend(offsets)

    def _buried(self, offsets: tuple[Offset, ...], reason: str, now: float) -> None:
        assert offsets, "dead letters for nothing"
        for offset in offsets:
            assert offset in self.call.pieces, "an end mark is no dead letter"
            assert offset not in self.dead, "dead-lettered twice"
            self.dead[offset] = reason
        retry = self._policy.retry
        if reason == "refused":
            assert self._refusals >= retry.attempts, "given up too early"
        if reason == "stuck":
            assert now >= self._waiting_since + retry.stuck, "given up too early"
        if reason in GIVEN_UP:
            assert self._breaker.allows or reason == "poisoned"
            self._hold, self._broke_at = None, -1.0
            self._confirm(self.call.frames, now)

    def _check_memory(self, now: float) -> None:
        pieces = self.call.pieces.values()
        largest = max((2 * (p.end - p.begin) for p in pieces), default=0)
        assert 0 <= self.session.backlog(now) <= self.session.held
        assert self.session.held <= max(self._policy.memory.held, largest)
