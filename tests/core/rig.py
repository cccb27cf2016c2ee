"""A session with a model of the world around it, which checks every action against the promises.

It knows nothing of the session's insides: it keeps the call's audio, what each stream was given and
what the API has said, and works out by itself what may be published and settled.
"""

from collections.abc import Callable

from consumer.core.breaker import Breaker
from consumer.core.checkpoint import SessionCheckpoint
from consumer.core.events import (
    Action,
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    DrainRequested,
    EndMarked,
    Event,
    Released,
    ResultArrived,
    StreamBroke,
    StreamEnded,
    TimePassed,
)
from consumer.core.flow import Mark
from consumer.core.identity import Identity
from consumer.core.policy import BreakerPolicy, SessionPolicy
from consumer.core.session import Session
from consumer.errors import Fault
from consumer.model import (
    AudioChunk,
    AudioFormat,
    ChunkEvent,
    EndReason,
    Frames,
    Hertz,
    Incarnation,
    Level,
    LevelChoice,
    Milliseconds,
    Offset,
    SessionKey,
    StreamMessage,
    StreamResult,
)
from tests.core.call import UNREADABLE, PlainDecoder
from tests.core.oracle import Oracle
from tests.core.view import View

KEY = SessionKey("call")
RATE = Hertz(1000)
"""A low rate keeps the audio of the tests small."""


class Rig(View):
    """Drives one session; every method may raise AssertionError when a promise is broken.

    others: live sessions besides this one, without which one break opens the breaker.
    """

    def __init__(
        self,
        policy: SessionPolicy | None = None,
        level: LevelChoice = LevelChoice.ALL,
        *,
        breaker: Breaker | None = None,
        released: bool = True,
        others: int = 5,
    ) -> None:
        self.policy = policy or SessionPolicy()
        self.level = level
        self.breaker = breaker or Breaker(BreakerPolicy(poisoned=1000))
        for _ in range(1 + others):
            self.breaker.joined()
        self.memory = Mark(1, 1)
        self.decoder = PlainDecoder()
        identity = Identity(KEY, Incarnation("calls", 0, Offset(100)))
        self.session = Session(
            identity, self.policy, self.decoder, self.breaker, self.memory, released=released
        )
        self.oracle = Oracle(self.policy, self.session, self.breaker, released=released)
        self.now = 0.0
        self.chunks: dict[Offset, AudioChunk] = {}
        self.next_offset = Offset(100)
        self.gone: set[Offset] = set()
        self.actions: list[Action] = []
        self.ended: EndMarked | None = None

    # What the world does.

    def arrive(
        self,
        frames: int = 250,
        *,
        payload: bytes | None = None,
        sequence: int | None = None,
        rate: Hertz = RATE,
        level: LevelChoice | None = None,
        event: ChunkEvent = ChunkEvent.AUDIO,
        gap: int = 0,
    ) -> Offset:
        """The session's next record is read, after `gap` offsets of others.

        Samples tell their own position, so misplacing shows.
        """
        if payload is None:
            first = self.oracle.call.frames
            payload = b"".join(
                (i % 65536).to_bytes(2, "little") for i in range(first, first + frames)
            )
        offset = self._next(gap)
        chunk = AudioChunk(
            key=KEY,
            offset=offset,
            timestamp=Milliseconds(int(self.now * 1000)),
            event=event,
            payload=payload,
            format=AudioFormat(sample_rate=rate),
            level=level or self.level,
            sequence=sequence,
        )
        self.chunks[offset] = chunk
        self.tell(AudioArrived(chunk), lambda: self.oracle.received(chunk, self.now))
        return offset

    def _next(self, gap: int) -> Offset:
        offset = Offset(self.next_offset + gap)
        self.next_offset = Offset(offset + 1)
        return offset

    def unreadable(self, sequence: int | None = None) -> Offset:
        """A record is read that can't be decoded."""
        return self.arrive(payload=UNREADABLE, sequence=sequence)

    def end(self, reason: EndReason = EndReason.MARKED) -> None:
        """The end mark is read, or silence has lasted too long."""
        offset = self._next(0) if reason is EndReason.MARKED else None
        self.oracle.end_offset = offset
        self.ended = EndMarked(reason, Milliseconds(int(self.now * 1000)), offset)
        self.tell(self.ended)

    def take(self) -> bool:
        """The stream accepts the next thing handed over."""
        stream = self.stream
        if stream is None or not stream.queue:
            return False
        message = stream.queue.popleft()
        if message is None:
            stream.half_closed = True
            return True
        stream.heard += len(message) // 2
        self.tell(AudioTaken(stream.number, Frames(len(message) // 2)))
        return True

    def take_all(self) -> None:
        """The stream accepts everything, and what follows from that."""
        while self.take():
            pass

    def result(
        self,
        end: float,
        level: Level | None = None,
        *,
        start: float | None = None,
        task: str = "deepfake",
        label: str = "bonafide",
    ) -> None:
        """The API reports a span of the stream's own clock, in seconds; as SimStream.found."""
        found = self.open_stream.found(end, level, start=start, task=task, label=label)
        self.message(found)

    def message(self, *results: StreamResult) -> None:
        """The API sends one message."""
        stream = self.open_stream
        message = StreamMessage(1, 7, stream.messages, results)
        stream.messages += 1
        for result in results:
            known = stream.reported.get(result.level, result.end)
            stream.reported[result.level] = max(known, result.end)
        event = ResultArrived(stream.number, message)
        self.tell(event, lambda: self.oracle.said(stream, results, self.now))

    def ok(self) -> None:
        """The stream ends with OK."""
        stream = self.open_stream
        event = StreamEnded(stream.number, stream.half_closed)
        self.tell(event, lambda: self.oracle.ended_ok(stream, self.now))

    def fail(self, fault: Fault = Fault.TRANSIENT, code: str = "UNAVAILABLE") -> None:
        """The stream breaks."""
        event = StreamBroke(self.open_stream.number, fault, code, "as the test wants it")
        self.tell(event, lambda: self.oracle.broke(fault, self.now))

    def replay(self, *, gone: bool = False) -> bool:
        """The next record asked for comes back, or is gone for good."""
        if not self.asked:
            return False
        offset = self.asked.popleft()
        if gone and offset not in self.gone:
            self.oracle.call.silence(offset)
            self.gone.add(offset)
        gone = offset in self.gone
        self.tell(AudioReplayed(offset, None if gone else self.chunks[offset]))
        return True

    def wait(self, seconds: float) -> None:
        """Time passes; deadlines on the way are kept."""
        until = self.now + seconds
        for _ in range(10_000):
            due = None if self.closed else self.session.deadline
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self.tell(TimePassed())
        else:
            raise AssertionError("the deadline does not move")
        self.now = until

    def look(self) -> None:
        """Something outside may have changed."""
        self.tell(TimePassed())

    def release(self) -> None:
        """The predecessor is over."""
        self.oracle.released = True
        self.tell(Released())

    def drain(self) -> None:
        """Bring the stream to its OK and open no other."""
        self.oracle.draining = True
        self.tell(DrainRequested())

    def squeeze(self, *, tight: bool) -> None:
        """The process comes to have too much in memory, or not any more."""
        self.memory.add(int(tight) - self.memory.value)

    def probe(self) -> None:
        """The breaker's probe ends well and the session is told."""
        self.breaker.probing()
        self.breaker.probed(None, self.now)
        if not self.closed:
            self.look()

    def move(self) -> SessionCheckpoint:
        """Another owner goes on where this one stands: it reads the unsettled records once more.

        The old stream is gone without a word. Returns what was handed over.
        """
        checkpoint = self.session.checkpoint(Milliseconds(0), Milliseconds(0), None)
        ended = self.ended if self.session.ending else None
        self.oracle.moved()
        self.decoder = PlainDecoder(checkpoint.decoder)
        self.session = Session(
            Identity.of(checkpoint),
            self.policy,
            self.decoder,
            self.breaker,
            self.memory,
            released=self.oracle.released,
            checkpoint=checkpoint,
        )
        self.oracle.session = self.session
        for offset, chunk in sorted(self.chunks.items()):
            if offset >= checkpoint.next:
                self.tell(AudioArrived(chunk))
        if ended is not None:
            self.tell(ended)
        return checkpoint

    def did(self, kind: type[Action]) -> bool:
        """The last event made the session ask for this."""
        return any(isinstance(action, kind) for action in self.actions)

    def tell(self, event: Event, before: Callable[[], None] | None = None) -> list[Action]:
        """Hand an event to the session and check what it asks for."""
        assert not self.closed
        if before is not None:
            before()
        self.oracle.look(self.now)
        self.actions = self.session.handle(event, self.now)
        self.oracle.check(self.actions, self.now)
        return self.actions

    # The way to the end.

    def finish(self) -> None:
        """From here on the API works: everything must be settled in the end."""
        if not self.session.ending:
            self.end()
        if not self.oracle.released:
            self.release()
        for _ in range(10_000):
            if self.closed:
                break
            self._help_along()
        assert self.closed, f"never over: {self.session.state}"
        assert not self.stream
        assert self.settled_below == self.next_offset

    def drained(self) -> None:
        """From here on the API works: the stream must come to its OK, and no other may open."""
        for _ in range(10_000):
            if self.closed or self.stream is None:
                return
            self._help_along()
        raise AssertionError(f"never drained: {self.session.state}")

    def _help_along(self) -> None:
        if self.take() or self.replay():
            return
        if self.stream is not None and self.stream.half_closed:
            self.ok()
        elif self.breaker.probe_at is not None:
            self.now = max(self.now, self.breaker.probe_at)
            self.probe()
        elif self.session.deadline is not None:
            self.wait(max(0.0, self.session.deadline - self.now))
        else:
            raise AssertionError(f"nothing will ever happen in {self.session.state}")
