"""Several sessions share a partition: what may be committed is what all of them have settled."""

from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consumer.core.breaker import Breaker
from consumer.core.offsets import Lane, PartitionOffsets
from consumer.core.policy import BreakerPolicy, MemoryPolicy, RetryPolicy, SessionPolicy
from consumer.errors import Fault
from consumer.model import LevelChoice, Offset
from tests.core.rig import Rig

WHICH = st.integers(0, 2)
POLICY = SessionPolicy(
    memory=MemoryPolicy(held=4000, fetch=1000), retry=RetryPolicy(attempts=2, stuck=200.0)
)


class PartitionMachine(RuleBasedStateMachine):
    """Three keys, one session each at a time, one breaker for all."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(BreakerPolicy(poisoned=1, poisoned_share=0.0))
        self.offsets = PartitionOffsets(Offset(100))
        self.before = 100
        self.now = 0.0
        self.sessions = [self.bear(level) for level in LevelChoice]

    def bear(self, level: LevelChoice) -> tuple[Rig, Lane]:
        """A session and its lane."""
        rig = Rig(POLICY, level, breaker=self.breaker, others=0)
        return rig, self.offsets.lane()

    def session(self, which: int) -> Rig:
        """This key's session at the present time, a new one when the last is over."""
        rig, _ = self.sessions[which]
        if rig.closed:
            self.sessions[which] = self.bear(rig.level)
            rig, _ = self.sessions[which]
        rig.now = max(rig.now, self.now)
        return rig

    def received(self, rig: Rig, which: int, gap: int) -> None:
        """The next record of the partition is this session's."""
        rig.next_offset = Offset(self.offsets.position + gap)
        self.offsets.track(self.sessions[which][1], rig.next_offset)

    @rule(which=WHICH, frames=st.sampled_from([0, 20, 500, 3000]), gap=st.sampled_from([0, 0, 3]))
    def audio(self, which: int, frames: int, gap: int) -> None:
        rig = self.session(which)
        if not rig.session.ending:
            self.received(rig, which, gap)
            rig.arrive(frames)

    @rule(which=WHICH)
    def end(self, which: int) -> None:
        rig = self.session(which)
        if not rig.session.ending:
            self.received(rig, which, 0)
            rig.end()

    @rule(which=WHICH, all_of_it=st.booleans())
    def taken(self, which: int, all_of_it: bool) -> None:
        rig = self.session(which)
        if all_of_it:
            rig.take_all()
        else:
            rig.take()

    @rule(which=WHICH)
    def judged(self, which: int) -> None:
        rig = self.session(which)
        stream = rig.stream
        if stream is not None and stream.heard:
            heard = Fraction(stream.heard, stream.config.sample_rate)
            if heard > stream.reported.get(stream.config.level.governing, 0):
                rig.result(float(heard))

    @rule(which=WHICH, fault=st.sampled_from(Fault))
    def breaks(self, which: int, fault: Fault) -> None:
        rig = self.session(which)
        if rig.stream is not None:
            rig.fail(fault)

    @rule(which=WHICH)
    def ends_well(self, which: int) -> None:
        rig = self.session(which)
        stream = rig.stream
        if stream is not None and stream.half_close_asked:
            rig.take_all()
            if rig.stream is stream:
                rig.ok()

    @rule(which=WHICH)
    def replayed(self, which: int) -> None:
        rig = self.session(which)
        for _ in range(len(rig.asked)):
            rig.replay()

    @rule(seconds=st.sampled_from([0.3, 2.0, 70.0]))
    def time(self, seconds: float) -> None:
        self.now += seconds
        for which in range(3):
            rig, _ = self.sessions[which]
            if not rig.closed:
                rig.wait(max(0.0, self.now - rig.now))

    @rule()
    def probe(self) -> None:
        if not self.breaker.allows:
            self.breaker.probing()
            self.breaker.probed(None, self.now)
            for which in range(3):
                self.session(which).look()

    @invariant()
    def agrees(self) -> None:
        """The watermark is the lowest unsettled offset of any session, and only ever grows."""
        for rig, lane in self.sessions:
            self.offsets.settle(lane, rig.settled_below)
        watermark = self.offsets.watermark
        assert self.before <= watermark <= self.offsets.position
        self.before = watermark
        for rig, _ in self.sessions:
            for offset, piece in rig.oracle.call.pieces.items():
                unjudged = piece.needed > rig.oracle.confirmed and offset not in rig.dead
                assert offset >= watermark or rig.closed or not unjudged

    def teardown(self) -> None:
        """In the end everything may be committed."""
        for which in range(3):
            rig = self.session(which)
            if not rig.session.ending:
                self.received(rig, which, 0)
            if not rig.closed:
                rig.look()  # another's probe may have closed the breaker
                rig.finish()
        self.agrees()
        assert self.offsets.watermark == self.offsets.position
        assert self.offsets.unsettled == 0


TestPartition = pytest.mark.timeout(1200)(PartitionMachine.TestCase)  # deep takes its time
TestPartition.settings = settings(stateful_step_count=60, deadline=None)
