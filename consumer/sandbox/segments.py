"""Speech probabilities in, the API's spans out: segments and utterances on a one-second grid.

Sans-IO: no audio, no model, no clock. The vendor publishes results on whole seconds only, segments
of two seconds with single seconds as rests, and ids that count more than the results. One model
explains every public sample: speech is decided second by second; each second takes an id, and so
does each segment and each utterance when it closes, the closing segment before its utterance, both
before the silent second that closed them. This room is that model. How the vendor decides that a
second is speech, and how long an utterance may be, isn't public: those numbers are `SpeechPolicy`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Centiseconds = NewType("Centiseconds", int)
"""Hundredths of a second of audio since the start of a stream; the API prints two decimals."""

FRAME_MS = 32
"""The voice activity model judges this much audio at a time."""


class Level(StrEnum):
    """What a span is; the names are those of the API's enum."""

    SEGMENT = "segment"
    UTTERANCE = "utterance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPolicy:
    """What counts as speech, and for how long it goes on.

    threshold: probability from which a frame is speech (the model's customary value).
    speech_ms: this much speech makes a second a speech second; a clipped word is longer, a click
    is shorter. segment: seconds per segment, as published. longest: seconds after which an
    utterance is ended although speech goes on; a multiple of `segment`, above the 22 s seen in a
    public sample.
    """

    threshold: float = 0.5
    speech_ms: int = 250
    segment: int = 2
    longest: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError("threshold must be within (0, 1)")
        if not 0 < self.speech_ms <= 1000 - FRAME_MS:
            raise ValueError(f"speech_ms must be within 1..{1000 - FRAME_MS}")
        if self.segment < 1 or self.longest < 1 or self.longest % self.segment:
            raise ValueError("longest must be a positive multiple of segment")


@dataclass(frozen=True, slots=True)
class Span:
    """A closed stretch of speech. start and end lie on whole seconds, but for the end of a span
    that the end of the stream has closed.
    """

    id: int
    level: Level
    start: Centiseconds
    end: Centiseconds


class Segmenter:
    """Turns one stream's frame probabilities into spans, in the order in which the API sends them.

    A frame belongs to the second in which it ends, so a second can be decided as soon as its audio
    is there, whatever the borders of the messages.
    """

    def __init__(self, policy: SpeechPolicy) -> None:
        self._policy = policy
        self._frames = 0
        self._voiced_ms: Counter[int] = Counter()
        self._second = 0
        self._next_id = 0
        self._utterance: Centiseconds | None = None
        self._segment: Centiseconds | None = None
        self._until = Centiseconds(0)

    @property
    def open_since(self) -> Centiseconds:
        """No span that is still to come begins before this."""
        return _whole(self._second) if self._utterance is None else self._utterance

    def hear(self, probabilities: Iterable[float], seconds: int) -> list[Span]:
        """Spans closed by the next frames.

        probabilities: of speech, of the frames that follow those already heard. seconds: whole
        seconds of audio since the start of the stream; every frame that ends within them must
        have been handed in. Raises ValueError when one is missing.
        """
        self._count(probabilities)
        if self._frames * FRAME_MS <= seconds * 1000 - FRAME_MS:
            raise ValueError(f"{self._frames} frames don't reach the end of second {seconds}")
        spans: list[Span] = []
        while self._second < seconds:
            spans += self._decide(_whole(self._second + 1))
        return spans

    def finish(self, duration: Centiseconds) -> list[Span]:
        """Spans closed by the end of the stream, whose audio lasted `duration`.

        A last second that isn't full counts like any other, but ends where the audio ends.
        """
        spans = self._decide(duration) if duration > _whole(self._second) else []
        return spans + self._end_utterance()

    def _count(self, probabilities: Iterable[float]) -> None:
        for probability in probabilities:
            self._frames += 1
            if probability >= self._policy.threshold:
                self._voiced_ms[(self._frames * FRAME_MS - 1) // 1000] += FRAME_MS

    def _decide(self, end: Centiseconds) -> list[Span]:
        start, self._second = _whole(self._second), self._second + 1
        if self._voiced_ms.pop(start // 100, 0) < self._policy.speech_ms:
            spans = self._end_utterance()
            self._take_id()
            return spans
        self._take_id()
        return self._extend(start, end)

    def _extend(self, start: Centiseconds, end: Centiseconds) -> list[Span]:
        if self._utterance is None:
            self._utterance = start
        if self._segment is None:
            self._segment = start
        self._until = end
        if end - self._utterance >= self._policy.longest * 100:
            return self._end_utterance()
        if end - self._segment >= self._policy.segment * 100:
            return self._end_segment()
        return []

    def _end_segment(self) -> list[Span]:
        start, self._segment = self._segment, None
        return [] if start is None else [self._close(Level.SEGMENT, start)]

    def _end_utterance(self) -> list[Span]:
        spans = self._end_segment()
        start, self._utterance = self._utterance, None
        return spans if start is None else [*spans, self._close(Level.UTTERANCE, start)]

    def _close(self, level: Level, start: Centiseconds) -> Span:
        return Span(self._take_id(), level, start, self._until)

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _whole(seconds: int) -> Centiseconds:
    return Centiseconds(seconds * 100)
