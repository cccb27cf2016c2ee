"""The promises hold over any interleaving of audio, replays, results, breaks, ends and time."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from consumer.core.breaker import Breaker
from consumer.core.events import AudioTaken, Event, ResultArrived, StreamBroke, StreamEnded
from consumer.core.policy import (
    BreakerPolicy,
    MemoryPolicy,
    RetryPolicy,
    SequencePolicy,
    SessionPolicy,
    StreamPolicy,
)
from consumer.errors import Fault
from consumer.model import (
    ChunkEvent,
    EndReason,
    Frames,
    Hertz,
    Level,
    LevelChoice,
    SessionKey,
    StreamMessage,
    StreamNumber,
    StreamResult,
)
from tests.core.rig import RATE, Rig

FRAMES = st.sampled_from([0, 1, 20, 160, 250, 1000, 3000])
FAULTS = st.sampled_from([Fault.TRANSIENT, Fault.TRANSIENT, Fault.AUDIO, Fault.SETTINGS])
STEPS = st.sampled_from([1, 1, 1, 2, 4, 30, 0, -1, -2, -9])
"""From one sequence number to the next: repeats, lates, gaps and restarts among them."""


class SessionMachine(RuleBasedStateMachine):
    """Plays producer, API, Kafka and clock against one session."""

    rig: Rig
    number = 0
    rate = RATE

    @initialize(
        level=st.sampled_from(LevelChoice),
        policy=st.builds(
            SessionPolicy,
            memory=st.sampled_from([500, 4000, 1 << 20]).map(
                lambda held: MemoryPolicy(held=held, fetch=held // 2)
            ),
            stream=st.builds(
                StreamPolicy,
                horizon=st.sampled_from([2.0, 60.0]),
                limit=st.sampled_from([0.0, 10.0]),
            ),
            retry=st.builds(
                RetryPolicy, stuck=st.sampled_from([50.0, 10_000.0]), attempts=st.integers(1, 3)
            ),
            sequence=st.builds(
                SequencePolicy, window=st.just(8), fill=st.booleans(), fill_limit=st.just(0.7)
            ),
        ),
        released=st.sampled_from([True, True, False]),
        others=st.sampled_from([0, 5]),
        poisoned=st.sampled_from([0, 1000]),
    )
    def begin(
        self, level: LevelChoice, policy: SessionPolicy, released: bool, others: int, poisoned: int
    ) -> None:
        breaker = Breaker(BreakerPolicy(poisoned=poisoned, poisoned_share=0.0))
        self.rig = Rig(policy, level, breaker=breaker, released=released, others=others)

    @precondition(lambda self: self.rig.closed)
    @rule()
    def again(self) -> None:
        """A session that is over stays over; the next one has the same key and breaker."""
        self.rig = Rig(self.rig.policy, self.rig.level, breaker=self.rig.breaker, others=-1)

    def alive(self) -> bool:
        return not self.rig.closed

    def hears(self) -> bool:
        return self.alive() and not self.rig.session.ending

    def streams(self) -> bool:
        return self.alive() and self.rig.stream is not None

    # The producer.

    @precondition(hears)
    @rule(frames=FRAMES, odd=st.booleans(), gap=st.sampled_from([0, 0, 5]))
    def audio(self, frames: int, odd: bool, gap: int) -> None:
        """A chunk; an odd byte is left open until the next chunk brings its other half."""
        payload = b"\x07" * (2 * frames + 1) if odd else self.closing_byte(frames)
        self.rig.arrive(frames, rate=self.rate, payload=payload, gap=gap)

    def closing_byte(self, frames: int = 1) -> bytes | None:
        """A payload that brings the half that is missing, None when none is."""
        odd = len(self.rig.oracle.call.audio) % 2
        return b"\x09" * (2 * frames + 1) if odd else None

    @precondition(hears)
    @rule(frames=FRAMES, step=STEPS, odd=st.booleans())
    def numbered(self, frames: int, step: int, odd: bool) -> None:
        """A chunk with a sequence number."""
        self.number = max(0, self.number + step)
        payload = b"\x05" * (2 * frames + odd)
        self.rig.arrive(rate=self.rate, payload=payload, sequence=self.number)

    @precondition(hears)
    @rule(
        frames=FRAMES,
        rate=st.sampled_from([300, 1000, 1600]).map(Hertz),
        level=st.sampled_from(LevelChoice),
    )
    def another_format(self, frames: int, rate: Hertz, level: LevelChoice) -> None:
        """The rate or the level changes in mid-call."""
        self.rate, self.rig.level = rate, level
        self.rig.arrive(frames, rate=rate, payload=self.closing_byte(frames))

    @precondition(hears)
    @rule(frames=FRAMES, numbered=st.booleans())
    def start(self, frames: int, numbered: bool) -> None:
        """The producer says that it starts."""
        self.number = 0
        sequence = 0 if numbered else None
        self.rig.arrive(frames, rate=self.rate, event=ChunkEvent.START, sequence=sequence)

    @precondition(hears)
    @rule(step=STEPS)
    def unreadable(self, step: int) -> None:
        self.number = max(0, self.number + step)
        self.rig.unreadable(sequence=self.number)

    @precondition(hears)
    @precondition(lambda self: len(self.rig.streams) > 2 or len(self.rig.chunks) > 12)
    @rule(reason=st.sampled_from(EndReason))
    def marked(self, reason: EndReason) -> None:
        """The end mark, or nothing for too long."""
        self.rig.end(reason)

    # The API.

    @precondition(streams)
    @rule(times=st.integers(1, 4))
    def taken(self, times: int) -> None:
        for _ in range(times):
            self.rig.take()

    @precondition(streams)
    @rule(
        part=st.sampled_from([0.1, 0.5, 1.0, 1.0, 3.0]),
        levels=st.lists(st.sampled_from(Level), min_size=1, max_size=2, unique=True),
        early=st.integers(0, 300),
        tasks=st.sampled_from([("deepfake",), ("deepfake", "liveness")]),
        rough=st.booleans(),
    )
    def results(
        self, part: float, levels: list[Level], early: int, tasks: tuple[str, ...], rough: bool
    ) -> None:
        """A message about a further part of what was heard, or more; maybe starting in its past.

        rough: with two decimals.
        """
        stream = self.rig.open_stream
        rate = stream.config.sample_rate
        heard = Fraction(stream.heard, rate)
        found = []
        for level in levels:
            known = stream.reported.get(level, Fraction(0))
            if known >= heard:
                continue
            end = known + (heard - known) * Fraction(part)
            end = max(known + Fraction(1, rate), Fraction(int(end * rate), rate))
            if rough:
                end = max(known, Fraction(round(end * 100), 100))
            start = known or min(end, Fraction(early, 100))
            found += [StreamResult("1", start, end, task, level, "spoofed") for task in tasks]
        if found:
            self.rig.message(*found)

    @precondition(streams)
    @rule(chunks=st.integers(1, 9), judge=st.sampled_from([None, *Level]))
    def talk(self, chunks: int, judge: Level | None) -> None:
        """All goes well for a while."""
        for _ in range(chunks if self.hears() else 0):
            self.rig.arrive(250, rate=self.rate, payload=self.closing_byte())
            self.rig.wait(0.25)
            self.rig.take_all()
            while self.rig.replay():
                pass
        stream = self.rig.stream
        if judge is not None and stream is not None:
            heard = Fraction(stream.heard, stream.config.sample_rate)
            if heard > stream.reported.get(judge, 0):
                self.rig.message(self.rig.open_stream.found(float(heard), judge))

    @precondition(streams)
    @rule(
        start=st.integers(0, 300),
        length=st.integers(0, 300),
        level=st.sampled_from(Level),
        task=st.sampled_from(["deepfake", "liveness"]),
    )
    def restates(self, start: int, length: int, level: Level, task: str) -> None:
        """The API speaks of any part of what was heard, maybe again."""
        stream = self.rig.open_stream
        heard = Fraction(stream.heard, stream.config.sample_rate)
        begin = min(Fraction(start, 100), heard)
        end = min(begin + Fraction(length, 100), heard)
        self.rig.message(StreamResult("1", begin, end, task, level, "spoofed"))

    @precondition(streams)
    @rule(judge=st.sampled_from([Level.SEGMENT, Level.UTTERANCE, Level.UTTERANCE]))
    def breaks_after_a_result(self, judge: Level) -> None:
        """The stream breaks before what it said is settled; the next says it again, and more."""
        rig = self.rig
        rig.take()
        self.says(judge, Fraction(3, 4))
        if rig.stream is not None:
            rig.fail()
        if not rig.closed and not rig.breaker.allows:
            rig.probe()
        if not rig.closed:
            rig.wait(1.0)
            rig.take_all()
            self.says(judge, Fraction(1, 2))
            self.says(judge, Fraction(1))

    @precondition(streams)
    @rule()
    def foretells(self) -> None:
        """A result reaches further than what was taken, as one may that overtakes the news."""
        stream = self.rig.open_stream
        if len(stream.queue) > 1:
            self.rig.take()
        given = Fraction(len(stream.given) // 2, stream.config.sample_rate)
        if self.rig.stream is stream and given:
            self.rig.message(self.rig.open_stream.found(float(given), start=0.0))

    def says(self, level: Level, part: Fraction) -> None:
        """A result on this part of what was heard, from the start."""
        stream = self.rig.stream
        if stream is not None and stream.heard:
            end = part * Fraction(stream.heard, stream.config.sample_rate)
            found = StreamResult("1", Fraction(0), end, "deepfake", level, "spoofed")
            self.rig.message(found)

    @precondition(streams)
    @rule(fault=FAULTS, early=st.booleans())
    def breaks(self, fault: Fault, early: bool) -> None:
        """The stream ends by an error, or with an OK before our half-close."""
        if early and not self.rig.open_stream.half_closed:
            self.rig.ok()
        else:
            self.rig.fail(fault)

    @precondition(lambda self: self.streams() and self.rig.open_stream.half_close_asked)
    @rule(hasty=st.booleans())
    def ends(self, hasty: bool) -> None:
        """The stream takes all and ends with OK; or before our half-close is written."""
        if not hasty:
            self.rig.take_all()
        if self.rig.stream is not None:
            self.rig.ok()

    @precondition(lambda self: self.alive() and self.rig.streams)
    @rule(back=st.integers(1, 3), kind=st.integers(0, 3))
    def old_news(self, back: int, kind: int) -> None:
        """Something is heard of a stream that is gone: it changes nothing."""
        number = StreamNumber(max(-1, len(self.rig.streams) - 1 - back))
        found = StreamResult("1", Fraction(0), Fraction(9), "deepfake", Level.UTTERANCE, "spoofed")
        news: list[Event] = [
            ResultArrived(number, StreamMessage(1, 1, 0, (found,))),
            AudioTaken(number, Frames(5)),
            StreamEnded(number, half_closed=True),
            StreamBroke(number, Fault.AUDIO, "INVALID_ARGUMENT", "late"),
        ]
        self.rig.tell(news[kind])

    @precondition(lambda self: self.rig.breaker.allows)
    @rule()
    def others_are_refused(self) -> None:
        """The API breaks down, as other sessions find out."""
        self.rig.breaker.failed(SessionKey("other"), Fault.SETTINGS, "refused", self.rig.now)

    # Kafka, the process and the clock.

    @precondition(lambda self: self.alive() and self.rig.asked)
    @rule(gone=st.booleans(), times=st.integers(1, 5))
    def replayed(self, gone: bool, times: int) -> None:
        for _ in range(times):
            self.rig.replay(gone=gone)

    @rule(tight=st.booleans())
    def memory(self, tight: bool) -> None:
        self.rig.squeeze(tight=tight)

    @precondition(lambda self: self.alive() and not self.rig.oracle.released)
    @rule()
    def released(self) -> None:
        self.rig.release()

    @precondition(lambda self: self.alive() and len(self.rig.streams) > 1)
    @rule()
    def drain(self) -> None:
        self.rig.drain()

    @precondition(alive)
    @rule(seconds=st.sampled_from([0.01, 0.3, 1.1, 3.0, 40.0]))
    def time(self, seconds: float) -> None:
        self.rig.wait(seconds)

    @precondition(alive)
    @rule(seconds=st.sampled_from([0.3, 3.0, 40.0]))
    def late(self, seconds: float) -> None:
        """The clock goes on, but the session is not told in time."""
        self.rig.now += seconds

    @precondition(lambda self: self.alive() and not self.rig.breaker.allows)
    @rule()
    def probe(self) -> None:
        self.rig.probe()

    def teardown(self) -> None:
        if not hasattr(self, "rig") or self.rig.closed:
            return
        if self.rig.oracle.draining:
            self.rig.drained()
        else:
            self.rig.finish()


TestSession = pytest.mark.timeout(1200)(SessionMachine.TestCase)  # the deep profile takes its time
TestSession.settings = settings(
    stateful_step_count=60, deadline=None, report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
