"""The world around one session, without the API: producer, Kafka, process and clock."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from consumer.core.breaker import Breaker
from consumer.core.policy import (
    BreakerPolicy,
    SessionPolicy,
)
from consumer.model import (
    ChunkEvent,
    EndReason,
    Hertz,
    LevelChoice,
)
from tests.core.policies import POLICIES
from tests.core.rig import RATE, Rig

FRAMES = st.sampled_from([0, 1, 20, 160, 250, 1000, 3000])
STEPS = st.sampled_from([1, 1, 1, 2, 4, 30, 0, -1, -2, -9])
"""From one sequence number to the next: repeats, lates, gaps and restarts among them."""


class WorldMachine(RuleBasedStateMachine):
    """Plays everything but the API against one session."""

    rig: Rig
    number = 0
    rate = RATE

    @initialize(
        level=st.sampled_from(LevelChoice),
        policy=POLICIES,
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

    def moves(self) -> bool:
        return self.alive() and not self.rig.gone and not self.rig.oracle.draining

    @precondition(moves)
    @rule()
    def moved(self) -> None:
        """A rebalance, or a crash."""
        self.rig.move()

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
