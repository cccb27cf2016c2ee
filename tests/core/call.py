"""What a producer has sent, as the API should hear it: worked out apart from the core."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from consumer.core.checkpoint import DecoderMemory
from consumer.core.events import Decoded
from consumer.core.policy import SequencePolicy
from consumer.errors import RecordError
from consumer.model import AudioChunk, ChunkEvent, Offset, StreamConfig

HALF = Fraction(1, 2)
UNREADABLE = b"bad"


class PlainDecoder:
    """Takes payloads as samples; b"bad" can't be read, an odd byte stays open."""

    def __init__(self, memory: DecoderMemory | None = None) -> None:
        self._rest = b"" if memory is None else memory.carry
        self._carried: dict[int, bytes] = {}
        self._before = self._rest
        self._after: dict[int, bytes] = {}
        self.forgotten_below = 0

    @property
    def memory(self) -> DecoderMemory:
        """The odd byte before the oldest record that is not forgotten."""
        return DecoderMemory(carry=self._before)

    def decode(self, chunk: AudioChunk) -> Decoded:
        """Decode, remembering what a second time would need."""
        if chunk.payload == UNREADABLE:
            raise RecordError("bad-audio", "not even audio")
        data = self._rest + chunk.payload
        self._carried[chunk.offset] = self._rest
        whole = len(data) // 2 * 2
        self._rest = self._after[chunk.offset] = data[whole:]
        return Decoded(data[:whole], chunk.format.sample_rate, open=bool(self._rest))

    def again(self, chunk: AudioChunk) -> Decoded:
        """Decode as before."""
        data = self._carried[chunk.offset] + chunk.payload
        return Decoded(data[: len(data) // 2 * 2], chunk.format.sample_rate)

    def forget(self, below: Offset) -> None:
        """Note what was dropped."""
        self.forgotten_below = below
        for offset in [offset for offset in self._after if offset < below]:
            self._before = self._after.pop(offset)


class Fate(StrEnum):
    """What becomes of a record."""

    AUDIO = "audio"
    REPEAT = "repeat"
    LATE = "late"
    UNREADABLE = "unreadable"


class SeenNumbers:
    """The sequence rule, said plainly."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._seen: set[int] = set()

    def restart(self) -> None:
        """Know nothing."""
        self._seen.clear()

    def judge(self, number: int) -> tuple[Fate, int]:
        """What becomes of this number, and how many are missing before it."""
        highest = max(self._seen, default=number)
        if not self._seen or number <= highest - self._width:
            self._seen = {number}
            return Fate.AUDIO, 0
        if number in self._seen:
            return Fate.REPEAT, 0
        if number < highest:
            return Fate.LATE, 0
        self._seen = {n for n in self._seen if n > number - self._width} | {number}
        return Fate.AUDIO, number - highest - 1


@dataclass
class Piece:
    """A record's call frames; needed: what must be judged before it may settle."""

    begin: int
    end: int
    needed: int


class Call:
    """audio: bytes as the API should hear them. pieces: where each record's lie.

    missing and filled: numbers that never came, and frames of silence in their place.
    """

    def __init__(self, policy: SequencePolicy) -> None:
        self.audio = bytearray()
        self.pieces: dict[Offset, Piece] = {}
        self.runs: list[tuple[int, StreamConfig]] = []
        self.missing = 0
        self.filled = 0
        self._policy = policy
        self._seen = SeenNumbers(policy.window)
        self._gap = 0
        self._previous = 0

    @property
    def frames(self) -> int:
        """Whole frames so far."""
        return len(self.audio) // 2

    def add(self, chunk: AudioChunk) -> Fate:
        """The next record."""
        begin = self.frames
        fate = self._judge(chunk)
        if fate is Fate.AUDIO:
            self._append(chunk)
        needed = (len(self.audio) + 1) // 2 if fate is Fate.AUDIO else begin
        self.pieces[chunk.offset] = Piece(begin, self.frames, needed)
        return fate

    def _judge(self, chunk: AudioChunk) -> Fate:
        if chunk.event is ChunkEvent.START:
            self._seen.restart()
            self._gap = 0
        fate = Fate.AUDIO
        if chunk.sequence is not None:
            fate, missing = self._seen.judge(chunk.sequence)
            self.missing += missing
            self._gap += missing
        if fate is Fate.AUDIO and chunk.payload == UNREADABLE:
            return Fate.UNREADABLE
        return fate

    def _append(self, chunk: AudioChunk) -> None:
        odd = len(self.audio) % 2
        frames = (odd + len(chunk.payload)) // 2
        config = StreamConfig(chunk.format.sample_rate, chunk.level)
        if frames and (not self.runs or self.runs[-1][1] != config):
            self.runs.append((self.frames, config))
            self._previous = 0
        gap, self._gap = self._gap, 0
        if self._policy.fill:
            most = int(self._policy.fill_limit * chunk.format.sample_rate)
            silence = min(gap * self._previous, most)
            self.filled += silence
            self.audio += bytes(2 * silence)
        self.audio += chunk.payload
        self._previous = 0 if len(self.audio) % 2 else frames

    def silence(self, offset: Offset) -> None:
        """Retention has deleted a record: its place in the call is silence from now on."""
        piece = self.pieces[offset]
        self.audio[2 * piece.begin : 2 * piece.end] = bytes(2 * (piece.end - piece.begin))

    def config(self, frame: int) -> StreamConfig:
        """The format of a frame."""
        return next(config for start, config in reversed(self.runs) if start <= frame)

    def milliseconds(self, frame: int) -> int:
        """Call time, rounded half up."""
        seconds = Fraction(0)
        starts = [start for start, _ in self.runs[1:]] + [frame]
        for (start, config), end in zip(self.runs, starts, strict=True):
            if start < frame:
                seconds += Fraction(min(end, frame) - start, config.sample_rate)
        return int(seconds * 1000 + HALF)
