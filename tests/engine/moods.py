"""An API with moods: results come late, streams break, end early or stall, and some are mute."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from itertools import count
from random import Random
from typing import Final

from consumer.errors import Fault, StreamFailed
from consumer.model import BYTES_PER_FRAME, Level, Prediction, StreamMessage, StreamResult
from tests.fakes.analyzer import FakeStream

INVALID: Final = StreamFailed(Fault.AUDIO, "INVALID_ARGUMENT", "not a voice")
UNAVAILABLE: Final = StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away")
_FAULTS = (
    UNAVAILABLE,
    StreamFailed(Fault.TRANSIENT, "INTERNAL", "oops"),
    StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "expired"),
    INVALID,
)
_SECONDS = {Level.SEGMENT: (2,), Level.UTTERANCE: (2, 4, 6, 8)}
_GAP = 0.001
"""Seconds between two answers at least, so that they stay in order."""


class Weather:
    """How bad things are: storm 0 is a calm day. refused: how audio begins that no API takes."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.storm = chance.choice((0.1, 0.4, 1.0))
        self.refused: set[bytes] = set()

    def strikes(self, probability: float) -> bool:
        """Whether something happens that does so this often in the worst weather."""
        return self.chance.random() < probability * self.storm


class Ear:
    """What the API makes of one stream, said within a second; of some it makes nothing.

    Segments and utterances follow each other without a gap. Where both end, either may come first.
    The half-close ends the last utterance, and is answered with OK.
    """

    def __init__(self, stream: FakeStream, weather: Weather) -> None:
        self._stream = stream
        self._weather = weather
        self._mute = weather.strikes(0.1)
        self._said = dict.fromkeys(Level, Fraction(0))
        self._due = {level: self._next(level) for level in Level}
        self._numbers = count()
        self._answered_at = 0.0
        self._closed = False

    def listen(self) -> None:
        """Take in what is new."""
        stream = self._stream
        frames = sum(map(len, stream.audio)) // BYTES_PER_FRAME
        seconds = Fraction(frames, stream.config.sample_rate)
        closing = stream.half_close_seen and not self._closed
        levels = list(Level)
        self._weather.chance.shuffle(levels)
        for level in levels:
            while self._due[level] <= seconds:
                self._say(level, self._due[level])
                self._due[level] = self._next(level)
        if closing:
            self._closed = True
            if self._said[Level.UTTERANCE] < seconds:
                self._say(Level.UTTERANCE, seconds)
            self._answer(stream.end)

    def _next(self, level: Level) -> Fraction:
        """Where something ends that begins now."""
        return self._said[level] + self._weather.chance.choice(_SECONDS[level])

    def _say(self, level: Level, end: Fraction) -> None:
        start, self._said[level] = self._said[level], end
        if self._mute or self._stream.config.level not in (level.value, "all"):
            return
        number = next(self._numbers)
        found = (Prediction("bonafide", 0.9),)
        result = StreamResult(str(number), start, end, "deepfake", level, "bonafide", found)
        message = StreamMessage(1, self._stream.number, number, (result,))
        self._answer(lambda: self._stream.send(message))
        if self._weather.strikes(0.05):
            self._answer(lambda: self._stream.fail(UNAVAILABLE))

    def _answer(self, answer: Callable[[], None]) -> None:
        """Answer a little later, after all before it."""

        def unless_over() -> None:
            if not self._stream.over:
                answer()

        loop = asyncio.get_running_loop()
        soon = loop.time() + self._weather.chance.uniform(0, 1)
        self._answered_at = max(soon, self._answered_at + _GAP)
        loop.call_at(self._answered_at, unless_over)


class Moody:
    """To be given to FakeAnalyzer as `react`."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self._ears: dict[int, Ear] = {}

    def __call__(self, stream: FakeStream) -> None:
        """React to what a stream has heard, or don't."""
        weather = self._weather
        if stream.number not in self._ears:
            self._ears[stream.number] = Ear(stream, weather)
        fault = self._fault(stream)
        if fault is not None:
            stream.fail(fault)
        elif weather.strikes(0.005):
            stream.end()
        else:
            self._ears[stream.number].listen()
        if weather.strikes(0.01):
            stream.stop_reading()
            pause = weather.chance.uniform(0, 8)
            asyncio.get_running_loop().call_later(pause, stream.read_on)

    def _fault(self, stream: FakeStream) -> StreamFailed | None:
        """Break a stream by chance, or because it carries audio that was refused for good."""
        weather, begin = self._weather, stream.audio[0][:BYTES_PER_FRAME]
        if begin in weather.refused:
            return INVALID
        if not weather.strikes(0.01):
            return None
        fault = weather.chance.choice(_FAULTS)
        if fault is INVALID:
            weather.refused.add(begin)
        return fault
