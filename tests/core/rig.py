"""A session with a model of the API around it, which checks every action against the promises.

It knows nothing of the session's insides: it keeps the call's audio, what each stream was given and
what the API has said, and works out by itself what may be settled.
"""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

from consumer.core.breaker import Breaker
from consumer.core.events import (
    Action,
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    Cancel,
    Close,
    DeadLettered,
    Decoded,
    EndMarked,
    Event,
    Fetch,
    HalfClose,
    OpenStream,
    Publish,
    Released,
    ResultArrived,
    SendAudio,
    Settle,
    StreamBroke,
    StreamEnded,
    TimePassed,
)
from consumer.core.flow import Mark
from consumer.core.identity import Identity
from consumer.core.policy import BreakerPolicy, SessionPolicy
from consumer.core.session import Session
from consumer.core.states import State
from consumer.errors import Fault, RecordError
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
    Partition,
    Prediction,
    Publication,
    SessionKey,
    SessionResult,
    StreamConfig,
    StreamMessage,
    StreamNumber,
    StreamResult,
)

KEY = SessionKey("call")
RATE = Hertz(1000)
"""A low rate keeps the audio of the tests small."""
PARTITION = Partition("calls", 0)


class PlainDecoder:
    """Takes payloads as samples; b"bad" can't be read, an odd byte stays open."""

    def __init__(self) -> None:
        self._rest = b""
        self._carried: dict[int, bytes] = {}
        self.forgotten_below = 0

    def decode(self, chunk: AudioChunk) -> Decoded:
        """Decode, remembering what a second time would need."""
        if chunk.payload == b"bad":
            raise RecordError("bad-audio", "not even audio")
        data = self._rest + chunk.payload
        self._carried[chunk.offset] = self._rest
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return Decoded(data[:whole], chunk.format.sample_rate, open=bool(self._rest))

    def again(self, chunk: AudioChunk) -> Decoded:
        """Decode as before."""
        data = self._carried[chunk.offset] + chunk.payload
        return Decoded(data[: len(data) // 2 * 2], chunk.format.sample_rate)

    def forget(self, below: Offset) -> None:
        """Note what was dropped."""
        self.forgotten_below = below


@dataclass
class SimStream:
    """What the API's side of a stream has seen. given: all handed over; heard: frames taken."""

    number: StreamNumber
    config: StreamConfig
    base: int
    queue: deque[bytes | None] = field(default_factory=deque)
    given: bytes = b""
    heard: int = 0
    half_close_asked: bool = False
    half_closed: bool = False
    reported: dict[Level, int] = field(default_factory=dict)
    messages: int = 0


class Rig:
    """Drives one session; every method may raise AssertionError when a promise is broken."""

    def __init__(
        self,
        policy: SessionPolicy | None = None,
        level: LevelChoice = LevelChoice.ALL,
        *,
        breaker: Breaker | None = None,
        released: bool = True,
    ) -> None:
        self.policy = policy or SessionPolicy()
        self.level = level
        self.breaker = breaker or Breaker(BreakerPolicy(poisoned=1000))
        self.breaker.joined()
        self.memory = Mark(1 << 60, 1 << 60)
        self.decoder = PlainDecoder()
        identity = Identity(KEY, Incarnation("calls", 0, Offset(100)))
        self.session = Session(
            identity, self.policy, self.decoder, self.breaker, self.memory, released=released
        )
        self.now = 0.0
        self.chunks: dict[Offset, AudioChunk] = {}
        self.ends: dict[Offset, int] = {}
        self.pieces: dict[Offset, tuple[int, int]] = {}
        self.next_offset = Offset(100)
        self.audio = b""
        self.stream: SimStream | None = None
        self.streams: list[SimStream] = []
        self.asked: deque[Offset] = deque()
        self.gone: set[Offset] = set()
        self.published: list[Publication] = []
        self.dead: dict[Offset, str] = {}
        self.settled_below = Offset(0)
        self.confirmed = 0
        self.hold: tuple[int, float] | None = None
        self.closed = False
        self.end_offset: Offset | None = None
        self.actions: list[Action] = []

    # What the world does.

    def arrive(
        self,
        frames: int = 250,
        *,
        payload: bytes | None = None,
        sequence: int | None = None,
        rate: Hertz = RATE,
        event: ChunkEvent = ChunkEvent.AUDIO,
        fill: int = 0,
    ) -> Offset:
        """The next record is read; samples tell their own position, so misplacing shows."""
        if payload is None:
            first = len(self.audio) // 2 + fill
            payload = b"".join(
                (i % 65536).to_bytes(2, "little") for i in range(first, first + frames)
            )
        offset = self.next_offset
        self.next_offset = Offset(offset + 1)
        chunk = AudioChunk(
            key=KEY,
            offset=offset,
            timestamp=Milliseconds(int(self.now * 1000)),
            event=event,
            payload=payload,
            format=AudioFormat(sample_rate=rate),
            level=self.level,
            sequence=sequence,
        )
        self.chunks[offset] = chunk
        self.tell(AudioArrived(chunk), before=lambda: self._append(offset, payload, fill))
        return offset

    def _append(self, offset: Offset, payload: bytes, fill: int) -> None:
        begin = len(self.audio) // 2
        if payload != b"bad":
            self.audio += bytes(2 * fill) + payload
        self.pieces[offset] = (begin, len(self.audio) // 2)
        self.ends[offset] = (len(self.audio) + 1) // 2

    def end(self, reason: EndReason = EndReason.MARKED) -> None:
        """The end mark is read."""
        offset = None
        if reason is EndReason.MARKED:
            offset = self.end_offset = self.next_offset
            self.next_offset = Offset(offset + 1)
        self.tell(EndMarked(reason, Milliseconds(int(self.now * 1000)), offset))

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
        self, end: float, level: Level = Level.UTTERANCE, start: float | None = None
    ) -> None:
        """The API reports a span of the stream's own clock, in seconds."""
        stream = self.open_stream
        begin = stream.reported.get(level, 0) / RATE if start is None else start
        found = StreamResult(
            id=str(stream.messages),
            start=Fraction(begin).limit_denominator(1000),
            end=Fraction(end).limit_denominator(1000),
            task="deepfake",
            level=level,
            final_label="bonafide",
            predictions=(Prediction("bonafide", 0.9),),
        )
        self.message(found)

    def message(self, *results: StreamResult) -> None:
        """The API sends one message."""
        stream = self.open_stream
        message = StreamMessage(1, 7, stream.messages, results)
        stream.messages += 1
        ends = [int(r.end * stream.config.sample_rate) for r in results if self._governs(r.level)]
        for r in results:
            stream.reported[r.level] = int(r.end * stream.config.sample_rate)
        reached = stream.base + min(max(ends, default=0), stream.heard)

        def note() -> None:
            self._release_hold(force=True)
            if ends and reached > self.confirmed:
                if self.level is LevelChoice.ALL:
                    self.hold = (reached, self.now + self.policy.stream.settle_hold)
                else:
                    self.confirmed = reached

        self.tell(ResultArrived(stream.number, message), before=note)

    def ok(self) -> None:
        """The stream ends with OK."""
        stream = self.open_stream
        self.stream = None

        def note() -> None:
            self.hold = None
            if stream.half_closed:
                self.confirmed = max(self.confirmed, stream.base + stream.heard)

        self.tell(StreamEnded(stream.number, stream.half_closed), before=note)

    def fail(self, fault: Fault = Fault.TRANSIENT, code: str = "UNAVAILABLE") -> None:
        """The stream breaks."""
        number = self.open_stream.number
        self.stream = None
        self.hold = None
        self.tell(StreamBroke(number, fault, code, "as the test wants it"))

    def replay(self, *, gone: bool = False) -> bool:
        """The next record asked for comes back, or is gone for good."""
        if not self.asked:
            return False
        offset = self.asked.popleft()
        if gone and offset not in self.gone:
            self._silence(offset)
            self.gone.add(offset)
        gone = offset in self.gone
        self.tell(AudioReplayed(offset, None if gone else self.chunks[offset]))
        return True

    def _silence(self, offset: Offset) -> None:
        """Retention has deleted a record: its place in the call is silence from now on."""
        begin, end = self.pieces[offset]
        self.audio = self.audio[: 2 * begin] + bytes(2 * (end - begin)) + self.audio[2 * end :]

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

    def release(self) -> None:
        """The predecessor is over."""
        self.tell(Released())

    def probe(self) -> None:
        """The breaker's probe ends well and the session is told."""
        self.breaker.probing()
        self.breaker.probed(None, self.now)
        if not self.closed:
            self.tell(TimePassed())

    @property
    def open_stream(self) -> SimStream:
        """The open stream."""
        assert self.stream is not None, f"no stream is open in {self.session.state}"
        return self.stream

    @property
    def results(self) -> list[SessionResult]:
        """All results published."""
        return [p for p in self.published if isinstance(p, SessionResult)]

    def finish(self) -> None:
        """From here on the API works: everything must be settled in the end."""
        if not self.session.ending:
            self.end()
        for _ in range(10_000):
            if self.closed:
                break
            self._help_along()
        assert self.closed, f"never over: {self.session.state}"
        assert not self.stream
        assert self.settled_below == self.next_offset

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

    # What the session asks for.

    def tell(self, event: Event, before: object = None) -> list[Action]:
        """Hand an event to the session and check what it asks for."""
        assert not self.closed
        self._release_hold(force=False)
        if callable(before):
            before()
        self._release_hold(force=False)
        actions = self.session.handle(event, self.now)
        self.actions = actions
        for action in actions:
            self._check(action)
        self._check_memory()
        return actions

    def _release_hold(self, *, force: bool) -> None:
        if self.hold is not None and (force or self.now >= self.hold[1]):
            self.confirmed = max(self.confirmed, self.hold[0])
            self.hold = None

    def _governs(self, level: Level) -> bool:
        return level is self.level.governing

    def _check(self, action: Action) -> None:
        assert not self.closed, "an action after Close"
        match action:
            case OpenStream(number, config):
                self._opened(number, config)
            case SendAudio(number, audio):
                self._sent(number, audio)
            case HalfClose(number):
                stream = self.open_stream
                assert stream.number == number
                assert not stream.half_close_asked
                stream.half_close_asked = True
                stream.queue.append(None)
            case Cancel(number):
                assert self.open_stream.number == number
                self.stream, self.hold = None, None
            case Publish(publication):
                self._published(publication)
            case Settle(below):
                self._settled(below)
            case Fetch(offsets):
                assert not self.asked
                assert list(offsets) == sorted(set(offsets))
                assert all(self.settled_below <= o < self.next_offset for o in offsets)
                self.asked.extend(offsets)
            case DeadLettered(offsets, reason, _):
                for offset in offsets:
                    assert offset not in self.dead, "dead-lettered twice"
                    self.dead[offset] = reason
                if reason in ("refused", "stuck", "poisoned"):
                    self.confirmed = len(self.audio) // 2
            case Close():
                self.closed = True

    def _opened(self, number: StreamNumber, config: StreamConfig) -> None:
        assert self.stream is None, "two streams at a time"
        assert number == len(self.streams)
        self.stream = SimStream(number, config, self.confirmed)
        self.streams.append(self.stream)

    def _sent(self, number: StreamNumber, audio: bytes) -> None:
        stream = self.open_stream
        assert stream.number == number, "audio on another stream than the open one"
        assert not stream.half_close_asked, "audio after the half-close"
        assert audio, "an empty message"
        assert len(audio) % 2 == 0, "a split sample"
        start = 2 * stream.base + len(stream.given)
        assert self.audio[start : start + len(audio)] == audio, "not the call's audio"
        stream.given += audio
        stream.queue.append(audio)

    def _published(self, publication: Publication) -> None:
        if isinstance(publication, SessionResult):
            same = [
                r for r in self.results
                if (r.level, r.task) == (publication.level, publication.task)
            ]  # fmt: skip
            assert publication.start_ms <= publication.end_ms
            if same:
                assert publication.start_ms >= same[-1].end_ms, "went back in time"
        self.published.append(publication)

    def _settled(self, below: Offset) -> None:
        assert below > self.settled_below, "the watermark moved back, or not at all"
        for offset in range(self.settled_below, below):
            self._check_settled(Offset(offset))
        self.settled_below = below

    def _check_settled(self, offset: Offset) -> None:
        if offset not in self.chunks or offset in self.dead:
            return
        over = self.session.state is State.CLOSED
        assert self.ends[offset] <= self.confirmed or over, f"{offset} was never judged"
        if over:
            assert len(self.audio) // 2 <= self.confirmed, "ended with audio unjudged"

    def _check_memory(self) -> None:
        largest = max((len(c.payload) + 1 for c in self.chunks.values()), default=0)
        assert self.session.held <= max(self.policy.memory.held, largest)
