"""A server's part for the fake API: finds speech in all it hears and says so in time."""

from fractions import Fraction
from itertools import count
from typing import Final

from consumer.model import BYTES_PER_FRAME, Level, Prediction, StreamMessage, StreamResult
from tests.fakes.analyzer import FakeStream

SEGMENT_SECONDS: Final = 2


class Judge:
    """To be given to FakeAnalyzer as `react`.

    Every two seconds of audio are a segment; what a stream heard in all is one utterance, said at
    its half-close, which then is answered with OK. silent: find nothing, only end with OK.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        self._said: dict[int, int] = {}
        self._numbers = count()

    def __call__(self, stream: FakeStream) -> None:
        """Say what is due."""
        seconds = self._seconds(stream)
        if not self.silent:
            self._segments(stream, seconds)
        if stream.half_close_seen and not stream.over:
            if not self.silent and seconds > 0:
                self._say(stream, Level.UTTERANCE, Fraction(0), seconds)
            stream.end()

    def _segments(self, stream: FakeStream, seconds: Fraction) -> None:
        said = self._said.get(stream.number, 0)
        while said + SEGMENT_SECONDS <= seconds:
            self._say(stream, Level.SEGMENT, Fraction(said), Fraction(said + SEGMENT_SECONDS))
            said += SEGMENT_SECONDS
        self._said[stream.number] = said

    def _say(self, stream: FakeStream, level: Level, start: Fraction, end: Fraction) -> None:
        if stream.config.level not in (level.value, "all"):
            return
        number = next(self._numbers)
        result = StreamResult(
            str(number), start, end, "deepfake", level, "bonafide", (Prediction("bonafide", 0.9),)
        )
        stream.send(StreamMessage(1, 100 + stream.number, number, (result,)))

    def _seconds(self, stream: FakeStream) -> Fraction:
        taken = sum(map(len, stream.audio))
        return Fraction(taken, BYTES_PER_FRAME * stream.config.sample_rate)
