"""Everything that can happen to a session, and everything a session may ask for.

Events go in through `Session.handle`, actions come out of it in the order in which they must be
done. A stream is meant by its number, so that news of an abandoned stream can be told apart.

What comes with every chunk is a tuple, because a frozen dataclass costs three times as much to
build.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from consumer.core.checkpoint import DecoderMemory
from consumer.errors import Fault
from consumer.model import (
    AudioChunk,
    EndReason,
    Frames,
    Hertz,
    Milliseconds,
    Offset,
    Publication,
    StreamConfig,
    StreamMessage,
    StreamNumber,
)


class Decoded(NamedTuple):
    """What a record's bytes hold, as the API takes it.

    audio: signed 16-bit little-endian mono samples, whole frames only. sample_rate: in Hz, as the
    audio itself says where it has a header. open: the record ends inside a frame or a header, so
    it is needed until the next record has completed that.
    """

    audio: bytes
    sample_rate: Hertz
    open: bool = False


class Decoder(Protocol):
    """Turns one session's payloads into samples; pure, but it remembers what was left over."""

    def decode(self, chunk: AudioChunk) -> Decoded:
        """Decode the next chunk of the session. Raises RecordError for audio it can't read."""
        ...

    def again(self, chunk: AudioChunk) -> Decoded:
        """Decode a chunk a second time exactly as the first time."""
        ...

    def forget(self, below: Offset) -> None:
        """Drop what is remembered of records below this offset."""
        ...

    @property
    def memory(self) -> DecoderMemory:
        """What was known before the oldest record that is not forgotten."""
        ...


# What can happen.


class AudioArrived(NamedTuple):
    """The next record of the session has been read from the topic."""

    chunk: AudioChunk


@dataclass(frozen=True, slots=True)
class AudioReplayed:
    """A record that was asked for again; chunk is None when retention has deleted it."""

    offset: Offset
    chunk: AudioChunk | None


@dataclass(frozen=True, slots=True)
class EndMarked:
    """The session gets no more audio. offset: of the end mark's record, if there is one."""

    reason: EndReason
    timestamp: Milliseconds
    offset: Offset | None = None


class AudioTaken(NamedTuple):
    """The stream has accepted the oldest message handed to it; frames: its length."""

    stream: StreamNumber
    frames: Frames


@dataclass(frozen=True, slots=True)
class ResultArrived:
    """The stream sent a message."""

    stream: StreamNumber
    message: StreamMessage


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The stream ended with OK. half_closed: our half-close had been written before."""

    stream: StreamNumber
    half_closed: bool


@dataclass(frozen=True, slots=True)
class StreamBroke:
    """The stream ended with an error."""

    stream: StreamNumber
    fault: Fault
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Released:
    """The session's predecessor under the same key is over: streams may be opened now."""


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """Bring the open stream to its OK and open no other."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The deadline was reached, or something outside the session may have changed."""


Event = (
    AudioArrived
    | AudioReplayed
    | EndMarked
    | AudioTaken
    | ResultArrived
    | StreamEnded
    | StreamBroke
    | Released
    | DrainRequested
    | TimePassed
)


# What a session may ask for.


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Open a stream and send its config."""

    stream: StreamNumber
    config: StreamConfig


class SendAudio(NamedTuple):
    """Write one message of audio."""

    stream: StreamNumber
    audio: bytes


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Say that no more audio comes, after all that was handed over is written."""

    stream: StreamNumber


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give the stream up."""

    stream: StreamNumber


@dataclass(frozen=True, slots=True)
class Publish:
    """Write this to its output topic. waited: seconds since a result's last audio was handed over,
    None where that is not known.
    """

    publication: Publication
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """All of the session's records below this offset need no more work, once what was published
    and dead-lettered before this action is acknowledged.
    """

    below: Offset


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read these records again and report each as AudioReplayed, in order."""

    offsets: tuple[Offset, ...]


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """Write these records to the dead letter topic."""

    offsets: tuple[Offset, ...]
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Close:
    """The session is over; nothing more may be told to it."""


Action = (
    OpenStream | SendAudio | HalfClose | Cancel | Publish | Settle | Fetch | DeadLettered | Close
)
