"""The promises hold over any interleaving of audio, replays, results, breaks, ends and time."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from consumer.core.events import AudioTaken, Event, ResultArrived, StreamBroke, StreamEnded
from consumer.errors import Fault
from consumer.model import (
    Frames,
    Level,
    SessionKey,
    StreamMessage,
    StreamNumber,
    StreamResult,
)
from tests.core.world import WorldMachine

FAULTS = st.sampled_from([Fault.TRANSIENT, Fault.TRANSIENT, Fault.AUDIO, Fault.SETTINGS])


class SessionMachine(WorldMachine):
    """Plays the API, too."""

    @precondition(WorldMachine.streams)
    @rule(times=st.integers(1, 4))
    def taken(self, times: int) -> None:
        for _ in range(times):
            self.rig.take()

    @precondition(WorldMachine.streams)
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

    @precondition(WorldMachine.streams)
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

    @precondition(WorldMachine.streams)
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

    @precondition(WorldMachine.streams)
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

    @precondition(WorldMachine.streams)
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

    @precondition(WorldMachine.streams)
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


TestSession = pytest.mark.timeout(1200)(SessionMachine.TestCase)  # deep takes its time
TestSession.settings = settings(
    stateful_step_count=60, deadline=None, report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
