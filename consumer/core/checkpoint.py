"""What a new owner needs to go on with a session where the old one stood.

Everything is as it was before the oldest record that is needed again, because reading goes on
there: what the session had learned from later records, it will learn from them once more. Only
counts and dead letters are as of the newest record, so that nothing is counted or written twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from consumer.model import (
    AudioFormat,
    EndReason,
    Frames,
    Incarnation,
    Level,
    Milliseconds,
    Offset,
    SessionKey,
    StreamConfig,
)


class Run(NamedTuple):
    """Audio in one format: its first call frame, and how old the call is there."""

    start: Frames
    seconds: Fraction
    config: StreamConfig


@dataclass(frozen=True, slots=True)
class DecoderMemory:
    """What a decoder knows before a record: the declared format, the file it is in, leftovers.

    stage: what the next bytes are; left, skip, need and header: bytes of it, as the decoder counts
    them. held: bytes of an unfinished header. carry: of an unfinished frame. refusal: why the file
    can't be read.
    """

    declared: AudioFormat | None = None
    format: AudioFormat | None = None
    stage: str = ""
    left: int = 0
    skip: int = 0
    need: int = 0
    header: int = 0
    held: bytes = b""
    carry: bytes = b""
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class SequenceMemory:
    """Which sequence numbers were seen before a record.

    Bit i of the mask stands for `highest - i`. missing: numbers skipped just before the record.
    previous: frames of the audio before it, which is how much one missing number stands for.
    """

    highest: int = -1
    mask: int = 0
    missing: int = 0
    previous: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyMemory:
    """A session's counts, as `SessionSummary` has them. judged_until_ms: end of what is judged."""

    records: int = 0
    results: int = 0
    repeats: int = 0
    missing: int = 0
    dead_letters: int = 0
    filled_ms: int = 0
    judged_ms: int = 0
    judged_until_ms: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    pids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that ended without an end mark. last: its newest record; later ones are not its."""

    reason: EndReason
    timestamp: Milliseconds
    last: Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCheckpoint:
    """One session.

    next: the oldest record that is needed again, begin: its first call frame. judged: the first
    call frame that is not judged. ends: the last published end of each level and task. streams:
    how many were opened. started_at: set once `started` is published. began and heard: time stamps
    of the first and the newest record. seen: the newest record. given_up: records from `next` on
    that are dead letters already. poisoned: further audio is given up too.
    """

    key: SessionKey
    incarnation: Incarnation
    next: Offset
    begin: Frames
    judged: Frames
    seen: Offset
    began: Milliseconds
    heard: Milliseconds
    resumed: bool = False
    tenant: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    ends: tuple[tuple[Level, str, Frames], ...] = ()
    streams: int = 0
    started_at: Milliseconds | None = None
    sequence: SequenceMemory = field(default_factory=SequenceMemory)
    decoder: DecoderMemory = field(default_factory=DecoderMemory)
    given_up: tuple[Offset, ...] = ()
    poisoned: bool = False
    ending: Ending | None = None
    tally: TallyMemory = field(default_factory=TallyMemory)

    def __post_init__(self) -> None:
        if not 0 <= self.begin <= self.judged:
            raise ValueError("0 <= begin <= judged must hold")
        if self.next > self.seen + 1:
            raise ValueError("next must not lie beyond the newest record")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionCheckpoint:
    """What earlier owners of a partition have left behind.

    epoch: the newest ownership that anything tells of, 0 for none. sessions: those that go on.
    ended: sessions that are over, each with its last record. loose: records that are settled and no
    session's. lettered: records whose dead letters are written though their session's checkpoint
    does not say so. keys: of all records that tell so, for whoever takes over to remove.
    """

    epoch: int = 0
    sessions: tuple[SessionCheckpoint, ...] = ()
    ended: Mapping[SessionKey, Offset] = field(default_factory=dict)
    loose: frozenset[Offset] = frozenset()
    lettered: frozenset[Offset] = frozenset()
    keys: tuple[bytes, ...] = ()
