"""The words: frozen values that every floor shares.

Audio time is counted in frames (one sample of one channel), never in float seconds. A session's
frames are numbered from the start of the call ("call frames"); a stream's from its own start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, NewType

SessionKey = NewType("SessionKey", str)
"""The record key: one call leg."""
Frames = NewType("Frames", int)
"""A position in, or a length of, audio: samples of one channel."""
Offset = NewType("Offset", int)
Hertz = NewType("Hertz", int)
StreamNumber = NewType("StreamNumber", int)
"""0-based number of a detection stream within its session."""
Milliseconds = NewType("Milliseconds", int)
"""Wall time since the Unix epoch."""

BYTES_PER_FRAME = 2
"""The API takes signed 16-bit mono samples."""


class Level(StrEnum):
    """What a result covers."""

    SEGMENT = "segment"
    UTTERANCE = "utterance"


class LevelChoice(StrEnum):
    """Which results a session asks for."""

    SEGMENT = "segment"
    UTTERANCE = "utterance"
    ALL = "all"

    @property
    def governing(self) -> Level:
        """The level whose results settle audio."""
        return Level.SEGMENT if self is LevelChoice.SEGMENT else Level.UTTERANCE


class Encoding(StrEnum):
    """How a chunk's samples are written."""

    PCM_S16LE = "pcm_s16le"
    PCM_S16BE = "pcm_s16be"
    PCM_MULAW = "pcm_mulaw"
    PCM_ALAW = "pcm_alaw"

    @property
    def sample_bytes(self) -> int:
        """Bytes per sample of one channel."""
        return 1 if self in (Encoding.PCM_MULAW, Encoding.PCM_ALAW) else 2


class ChunkEvent(StrEnum):
    """What a record means for its session."""

    START = "start"
    AUDIO = "audio"
    END = "end"


class EndReason(StrEnum):
    """Why a session ended: its producer marked the end, or nothing came for the idle timeout."""

    MARKED = "marked"
    IDLE = "idle"


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Record(NamedTuple):
    """A Kafka record as it was read; headers keep their order, a value of None is a tombstone.

    A tuple, as AudioChunk is, because a frozen dataclass costs three times as much to build.
    """

    partition: Partition
    offset: Offset
    timestamp: Milliseconds
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a chunk's bytes are to be read; the channel counts from 0."""

    encoding: Encoding = Encoding.PCM_S16LE
    sample_rate: Hertz = Hertz(16_000)
    channels: int = 1
    channel: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.sample_rate <= 384_000:
            raise ValueError(f"sample rate {self.sample_rate} Hz is not within 1..384000")
        if not 1 <= self.channels <= 64:
            raise ValueError(f"{self.channels} channels is not within 1..64")
        if not 0 <= self.channel < self.channels:
            raise ValueError(f"channel {self.channel} is not within 0..{self.channels - 1}")

    @property
    def frame_bytes(self) -> int:
        """Bytes that hold one frame of all channels."""
        return self.encoding.sample_bytes * self.channels


class AudioChunk(NamedTuple):
    """One record of the input topic, understood but not yet decoded to the API's samples.

    payload: the audio as sent, possibly empty. captured_at: when it was recorded, for latency only.
    """

    key: SessionKey
    offset: Offset
    timestamp: Milliseconds
    event: ChunkEvent
    payload: bytes
    format: AudioFormat
    level: LevelChoice
    sequence: int | None = None
    captured_at: Milliseconds | None = None
    tenant: str | None = None
    meta: Mapping[str, str] = MappingProxyType({})
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Incarnation:
    """One life of a session, named by the place of its first record."""

    topic: str
    partition: int
    offset: Offset

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What a stream's first message says of the audio that follows."""

    sample_rate: Hertz
    level: LevelChoice


@dataclass(frozen=True, slots=True)
class Prediction:
    """One label with its probability; an absent number was not sent or not asked for."""

    label: str
    posterior: float | None = None
    logit: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class StreamResult:
    """One finding, with times in seconds on its stream's own clock."""

    id: str
    start: Fraction
    end: Fraction
    task: str
    level: Level
    final_label: str
    predictions: tuple[Prediction, ...] = ()
    embedding: str | None = None


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One response message of a stream."""

    cid: int
    pid: int
    message_id: int
    results: tuple[StreamResult, ...]


@dataclass(frozen=True, slots=True)
class SessionResult:
    """One finding, with times on the call's clock, ready to publish.

    start_ms and end_ms: milliseconds since the start of the call. offsets: first and last input
    record under the span. captured_at: when the span's last audio was recorded, or stamped by
    Kafka. clamped: the start was moved because an earlier stream had published up to there.
    """

    session: SessionKey
    incarnation: Incarnation
    stream: StreamNumber
    cid: int
    pid: int
    message_id: int
    result_id: str
    task: str
    level: Level
    start_ms: int
    end_ms: int
    final_label: str
    predictions: tuple[Prediction, ...]
    embedding: str | None
    offsets: tuple[Offset, Offset]
    captured_at: Milliseconds
    clamped: bool = False
    tenant: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A session's first audio has arrived; resumed: the call may have begun before that."""

    session: SessionKey
    incarnation: Incarnation
    sample_rate: Hertz
    level: LevelChoice
    timestamp: Milliseconds
    resumed: bool = False
    tenant: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session's counts when it ended.

    audio_ms: length of the call in call time. judged_ms: span of results at the governing level.
    filled_ms: silence put in for missing sequence numbers. labels: results per final label.
    """

    audio_ms: int
    judged_ms: int
    filled_ms: int
    records: int
    results: int
    streams: int
    repeats: int
    missing: int
    dead_letters: int
    labels: Mapping[str, int]
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is over and all of its audio is settled."""

    session: SessionKey
    incarnation: Incarnation
    reason: EndReason
    timestamp: Milliseconds
    summary: SessionSummary
    tenant: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


Publication = SessionResult | SessionStarted | SessionEnded
"""What a session may publish."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used; `record` is None when retention has deleted it."""

    partition: Partition
    offset: Offset
    reason: str
    detail: str
    key: bytes | None = None
    record: Record | None = None
    session: SessionKey | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be written. partition None leaves the choice to the key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
