"""Call time: frames to seconds over changing rates, and a stream's clock to the call's.

A call's frames are counted through; how long they last is told by runs of one format each. Seconds
are exact fractions until they are published in whole milliseconds.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from consumer.core.checkpoint import Run
from consumer.model import Frames, Level, StreamConfig, StreamResult

Ends = Mapping[tuple[Level, str], int]
"""The last published end of each level and task, in call frames."""


class Timeline:
    """Runs of audio in one format each, in call frames."""

    __slots__ = ("_runs",)

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs: list[Run] = list(runs)

    def until(self, frame: int) -> tuple[Run, ...]:
        """The runs that begin at or before this frame."""
        return tuple(run for run in self._runs if run.start <= frame)

    @property
    def config(self) -> StreamConfig | None:
        """The newest run's format, None before the first."""
        return self._runs[-1].config if self._runs else None

    def change(self, frame: int, config: StreamConfig) -> None:
        """From this frame on the audio has this format."""
        if self._runs and self._runs[-1].start == frame:
            self._runs.pop()
        self._runs.append(Run(Frames(frame), self.seconds(frame), config))

    def config_at(self, frame: int) -> StreamConfig:
        """The format of this frame."""
        return self._run(frame).config

    def change_after(self, frame: int) -> Frames | None:
        """Where the format of this frame ends, None when it goes on."""
        if self._runs[-1].start <= frame:
            return None
        return next(Frames(run.start) for run in self._runs if run.start > frame)

    def seconds(self, frame: int) -> Fraction:
        """Seconds from the start of the call to this frame."""
        if not self._runs:
            return Fraction(0)
        run = self._run(frame)
        return run.seconds + Fraction(frame - run.start, run.config.sample_rate)

    def milliseconds(self, frame: int) -> int:
        """As `seconds`, rounded half up."""
        if not self._runs:
            return 0
        run = self._run(frame)
        rate = run.config.sample_rate
        whole, part = run.seconds.as_integer_ratio()
        return _rounded((whole * rate + (frame - run.start) * part) * 1000, part * rate)

    def whole_second(self, frame: int) -> Frames:
        """The first frame at or after this one at which the call is a whole second old."""
        run = self._run(frame)
        at = run.seconds + Fraction(frame - run.start, run.config.sample_rate)
        whole = -(-at.numerator // at.denominator)
        exact = (whole - run.seconds) * run.config.sample_rate
        return Frames(run.start + -(-exact.numerator // exact.denominator))

    def prune(self, frame: int) -> None:
        """Forget runs that end at or before this frame."""
        while len(self._runs) > 1 and self._runs[1].start <= frame:
            del self._runs[0]

    def _run(self, frame: int) -> Run:
        for run in reversed(self._runs):
            if run.start <= frame:
                return run
        return self._runs[0]


class Span(NamedTuple):
    """Where a result lies in call frames. clamped: its start was moved forward."""

    start: Frames
    end: Frames
    clamped: bool


class StreamClock:
    """Places one stream's results in the call.

    base: the call frame of the first byte the stream carries. rate: in Hz. published: the last
    published ends when the stream opened; results of the stream itself are never compared.
    tolerance: seconds a result may start before such an end.
    """

    __slots__ = ("_base", "_governing", "_published", "_rate", "_tolerance")

    def __init__(
        self, base: int, rate: int, governing: Level, published: Ends, tolerance: float
    ) -> None:
        self._base = base
        self._rate = rate
        self._governing = governing
        self._published = dict(published)
        self._tolerance = int(tolerance * rate + 0.5)

    def frame(self, seconds: Fraction, sent: int) -> Frames:
        """The call frame of a time on the stream's clock, within what was sent."""
        whole, part = seconds.as_integer_ratio()
        exact = self._base + _rounded(whole * self._rate, part)
        return Frames(min(max(exact, self._base), sent))

    def place(self, result: StreamResult, sent: int) -> Span | None:
        """Where the result lies, None when an earlier stream has published that span already.

        A result of the governing level is shortened instead of dropped where it reaches further.
        """
        start, end = self.frame(result.start, sent), self.frame(result.end, sent)
        known = self._published.get((result.level, result.task), self._base)
        if start >= known:
            return Span(start, end, clamped=False)
        repeats = known - start > self._tolerance and result.level is not self._governing
        if repeats or end <= known:
            return None
        return Span(Frames(known), end, clamped=True)


def _rounded(whole: int, part: int) -> int:
    """The quotient rounded half up: one division, where fractions would reduce at each step."""
    return (2 * whole + part) // (2 * part)
