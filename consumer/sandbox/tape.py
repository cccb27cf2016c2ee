"""The audio of one stream that may still be needed for a span, at the rate of the model.

Bounded by the longest utterance: the segmenter says from where on audio is needed.
"""

import numpy as np

from consumer.sandbox.segments import Centiseconds
from consumer.sandbox.silero import Samples

_SAMPLE_BYTES = 2


class Tape:
    """Signed 16-bit samples at `rate` Hz, without those that were forgotten."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._audio = bytearray()
        self._forgotten = 0

    @property
    def seconds(self) -> int:
        """Whole seconds recorded since the start of the stream."""
        return (self._forgotten + len(self._audio) // _SAMPLE_BYTES) // self._rate

    def record(self, audio: bytes) -> None:
        """Add the audio that follows."""
        self._audio += audio

    def play(self, start: Centiseconds, end: Centiseconds) -> Samples:
        """The samples of a span, floats between -1 and 1; nothing of it may be forgotten."""
        audio = bytes(self._audio[self._place(start) : self._place(end)])
        return np.frombuffer(audio, "<i2").astype(np.float32) / 32768.0

    def forget(self, below: Centiseconds) -> None:
        """Drop what lies before `below`."""
        place = min(self._place(below), len(self._audio))
        del self._audio[:place]
        self._forgotten += place // _SAMPLE_BYTES

    def _place(self, time: Centiseconds) -> int:
        return max(0, time * self._rate // 100 - self._forgotten) * _SAMPLE_BYTES
