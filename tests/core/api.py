"""The API's side of a stream: what it was given, and what may be published of what it says."""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

from consumer.model import Level, Prediction, StreamConfig, StreamNumber, StreamResult
from tests.core.call import HALF

Ends = dict[tuple[Level, str], int]
TOLERANCE = Fraction(1, 100)
"""Seconds that a result may start before what an earlier stream has published."""


@dataclass(frozen=True)
class Expected:
    """A result as it must be published; start and end in call frames."""

    level: Level
    task: str
    start: int
    end: int
    clamped: bool


@dataclass
class SimStream:
    """given: all handed over. heard: frames taken. published: ends frozen when it opened."""

    number: StreamNumber
    config: StreamConfig
    base: int
    published: Ends
    queue: deque[bytes | None] = field(default_factory=deque)
    given: bytearray = field(default_factory=bytearray)
    heard: int = 0
    half_close_asked: bool = False
    half_closed: bool = False
    reported: dict[Level, Fraction] = field(default_factory=dict)
    messages: int = 0

    def found(
        self,
        end: float,
        level: Level | None = None,
        *,
        start: float | None = None,
        task: str = "deepfake",
        label: str = "bonafide",
    ) -> StreamResult:
        """A result from where the last one of its level ended, or from `start`, in seconds.

        It is of the governing level if no other is given.
        """
        level = level or self.config.level.governing
        begin = self.reported.get(level, Fraction(0)) if start is None else Fraction(start)
        return StreamResult(
            id=str(self.messages),
            start=begin,
            end=Fraction(end).limit_denominator(1000),
            task=task,
            level=level,
            final_label=label,
            predictions=(Prediction(label, 0.9),),
        )

    def frame(self, seconds: Fraction, most: int) -> int:
        """The call frame of a time on this stream's clock."""
        return self.base + min(int(seconds * self.config.sample_rate + HALF), most)

    def judged(self, results: tuple[StreamResult, ...]) -> int:
        """The call frame up to which these results judge audio, 0 for nowhere."""
        governing = self.config.level.governing
        ends = [self.frame(r.end, self.heard) for r in results if r.level is governing]
        return max(ends, default=0)

    def expect(self, result: StreamResult) -> Expected | None:
        """What must be published of a result."""
        given = len(self.given) // 2
        start, end = self.frame(result.start, given), self.frame(result.end, given)
        before = self.published.get((result.level, result.task), 0)
        if start >= before:
            return Expected(result.level, result.task, start, end, clamped=False)
        late = Fraction(before - start, self.config.sample_rate) <= TOLERANCE
        if end > before and (late or result.level is self.config.level.governing):
            return Expected(result.level, result.task, before, end, clamped=True)
        return None
