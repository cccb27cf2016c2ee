"""The promises hold over any interleaving of audio, replays, results, breaks, ends and time."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from consumer.core.policy import MemoryPolicy, RetryPolicy, SessionPolicy, StreamPolicy
from consumer.errors import Fault
from consumer.model import Hertz, Level, LevelChoice, StreamResult
from tests.core.rig import RATE, Rig

FRAMES = st.sampled_from([0, 1, 20, 160, 250, 1000, 3000])


class SessionMachine(RuleBasedStateMachine):
    """Plays producer, API, Kafka and clock against one session."""

    rig: Rig

    @initialize(
        level=st.sampled_from(LevelChoice),
        held=st.sampled_from([500, 4000, 1 << 20]),
        horizon=st.sampled_from([2.0, 60.0]),
        limit=st.sampled_from([0.0, 10.0]),
    )
    def begin(self, level: LevelChoice, held: int, horizon: float, limit: float) -> None:
        policy = SessionPolicy(
            memory=MemoryPolicy(held=held, fetch=held // 2),
            stream=StreamPolicy(horizon=horizon, limit=limit),
            retry=RetryPolicy(stuck=10_000.0),
        )
        self.rig = Rig(policy, level)

    def alive(self) -> bool:
        return not self.rig.closed

    def open(self) -> bool:
        return self.alive() and self.rig.stream is not None

    @precondition(lambda self: self.alive() and not self.rig.session.ending)
    @rule(frames=FRAMES, odd=st.booleans())
    def audio(self, frames: int, odd: bool) -> None:
        if odd and len(self.rig.audio) % 2 == 0:
            self.rig.arrive(payload=b"\x07" * (2 * frames + 1))
        elif len(self.rig.audio) % 2:
            self.rig.arrive(payload=b"\x09" * (2 * frames + 1))
        else:
            self.rig.arrive(frames)

    @precondition(lambda self: self.alive() and not self.rig.session.ending)
    @rule()
    def unreadable(self) -> None:
        self.rig.arrive(payload=b"bad")

    @precondition(open)
    @rule(times=st.integers(1, 8))
    def taken(self, times: int) -> None:
        for _ in range(times):
            self.rig.take()

    @precondition(open)
    @rule(
        part=st.floats(0, 1),
        levels=st.sets(st.sampled_from(Level), min_size=1),
        early=st.floats(0, 3),
    )
    def results(self, part: float, levels: set[Level], early: float) -> None:
        """A message about a further part of what was heard, maybe starting in its past."""
        stream = self.rig.open_stream
        heard = stream.heard
        found = []
        for level in sorted(levels):
            known = stream.reported.get(level, 0)
            if known >= heard:
                continue
            end = known + max(1, int((heard - known) * part))
            start = known if known else int(early * 100) % end
            found.append(
                StreamResult(
                    "1", Fraction(start, RATE), Fraction(end, RATE), "deepfake", level, "spoofed"
                )
            )
        if found and stream.config.sample_rate == RATE:
            self.rig.message(*found)

    @precondition(open)
    @rule(fault=st.sampled_from([Fault.TRANSIENT, Fault.TRANSIENT, Fault.AUDIO, Fault.SETTINGS]))
    def breaks(self, fault: Fault) -> None:
        self.rig.fail(fault)

    @precondition(open)
    @rule()
    def ends_ok(self) -> None:
        """OK, early when the stream was not half-closed."""
        self.rig.ok()

    @precondition(lambda self: self.alive() and self.rig.asked)
    @rule(gone=st.booleans(), times=st.integers(1, 5))
    def replayed(self, gone: bool, times: int) -> None:
        for _ in range(times):
            self.rig.replay(gone=gone and not len(self.rig.audio) % 2)

    @precondition(alive)
    @rule(seconds=st.sampled_from([0.01, 0.3, 1.1, 3.0, 40.0]))
    def time(self, seconds: float) -> None:
        self.rig.wait(seconds)

    @precondition(lambda self: self.alive() and not self.rig.breaker.allows)
    @rule()
    def probe(self) -> None:
        self.rig.probe()

    @precondition(lambda self: self.alive() and len(self.rig.streams) > 2)
    @precondition(lambda self: not self.rig.session.ending)
    @rule()
    def end(self) -> None:
        self.rig.end()

    @precondition(lambda self: self.rig.closed)
    @rule()
    def nothing(self) -> None:
        """A session that is over stays over."""

    def teardown(self) -> None:
        if hasattr(self, "rig") and not self.rig.closed:
            self.rig.finish()


TestSession = SessionMachine.TestCase
TestSession.settings = settings(
    stateful_step_count=60, deadline=None, report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
