"""What comes back: results are placed in the call, and say how far its audio is judged.

At level `all` nobody knows whether the segment that closes an utterance comes before or after it,
so an utterance settles its audio only with the next message, or after a moment.
"""

from collections.abc import Iterable

from consumer.core.timeline import Span, StreamClock
from consumer.model import Frames, Level, LevelChoice, StreamConfig, StreamMessage, StreamResult


class Judgement:
    """judged: the call frame below which everything needs no more work."""

    __slots__ = ("_ends", "_hold", "_hold_until", "judged")

    def __init__(self) -> None:
        self.judged = Frames(0)
        self._ends: dict[tuple[Level, str], int] = {}
        self._hold: Frames | None = None
        self._hold_until = 0.0

    @property
    def ends(self) -> tuple[tuple[Level, str, Frames], ...]:
        """The last published end of each level and task."""
        return tuple((level, task, Frames(at)) for (level, task), at in self._ends.items())

    def recall(self, ends: Iterable[tuple[Level, str, Frames]]) -> None:
        """Another owner has published up to here."""
        self._ends = {(level, task): at for level, task, at in ends}

    @property
    def held_until(self) -> float | None:
        """When an utterance's audio settles at the latest, None when nothing is held."""
        return None if self._hold is None else self._hold_until

    def clock(self, config: StreamConfig, base: int, tolerance: float) -> StreamClock:
        """The clock of a stream that opens now; what is published so far is frozen into it."""
        return StreamClock(base, config.sample_rate, config.level.governing, self._ends, tolerance)

    def place(
        self, message: StreamMessage, clock: StreamClock, sent: int
    ) -> list[tuple[StreamResult, Span]]:
        """The message's results that are to be published, with their places; notes their ends."""
        placed = []
        for result in message.results:
            span = clock.place(result, sent)
            if span is None:
                continue
            key = (result.level, result.task)
            self._ends[key] = max(self._ends.get(key, 0), span.end)
            placed.append((result, span))
        return placed

    def reach(
        self, message: StreamMessage, clock: StreamClock, level: LevelChoice, taken: int
    ) -> Frames:
        """The call frame up to which this message says that audio is judged, 0 for nowhere."""
        governing = level.governing
        ends = [clock.frame(r.end, taken) for r in message.results if r.level is governing]
        return max(ends, default=Frames(0))

    def hold(self, frame: Frames, until: float) -> None:
        """Settle up to here later."""
        self._hold, self._hold_until = frame, until

    def release(self) -> Frames | None:
        """Take what was held, to settle it now."""
        held, self._hold = self._hold, None
        return held

    def drop_hold(self) -> None:
        """Forget what was held: its stream is gone, and its audio will be sent again."""
        self._hold = None

    def advance(self, frame: int) -> bool:
        """Everything below this frame is judged; returns whether that is news."""
        if frame <= self.judged:
            return False
        self.judged = Frames(frame)
        return True
