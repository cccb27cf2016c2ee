"""All that is known when a run is over, and the words for what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tests.chaos.calls import Call

Rule = Literal[
    "config",  # a stream without its config first, with another call's, or refused on its merits
    "foreign",  # a stream whose audio is not one stretch of one call
    "unheard",  # audio that never reached the API
    "unjudged",  # audio that was heard, but neither judged by a result nor covered by an OK
    "missing",  # speech without results
    "mistimed",  # a result that is not where the feeder put the speech
    "cut",  # an utterance that we ended in the middle of the speech
    "disorder",  # results of a session out of order
    "repeated",  # a result, event or dead letter twice, where that is not allowed
    "resumed",  # a call that began anew in its middle
    "events",  # starts and ends that don't fit the calls
    "letters",  # dead letters of good calls, or none of poisoned ones
    "early",  # an offset committed above audio that was not settled
    "rewound",  # an offset committed below one that was committed before
    "contract",  # ids, keys and partitions that are not the contract's
    "lag",  # records that are not committed in the end
    "replica",  # a consumer that died or said that it is dead
]


class Complaint(NamedTuple):
    """What is wrong, in words."""

    rule: Rule
    text: str


class Place(NamedTuple):
    """A record of a call: its offset, and the frames in it."""

    offset: int
    start: int
    frames: int


@dataclass(frozen=True, slots=True)
class Fed:
    """A call as it lies on the input topic. end: the offset of its end mark, None without one.

    end_ms: when that was written, in ms since the epoch.
    """

    call: Call
    places: Sequence[Place]
    end: int | None
    end_ms: int = 0

    @property
    def frames(self) -> int:
        """That were sent."""
        return sum(place.frames for place in self.places)


class Piece(NamedTuple):
    """Frames of a call that a stream carried in a row. call: None for bytes that are no call's."""

    call: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream by the sandbox's audit. Times in ms since the epoch.

    rate: of the config, None without one. status: None when the sandbox was killed under it.
    faults: that acted on it. pieces: its audio, in order.
    """

    pid: int
    rate: int | None
    status: str | None
    detail: str
    half_closed: bool
    faults: Sequence[str]
    opened_ms: int
    ended_ms: int | None
    pieces: Sequence[Piece]

    @property
    def good(self) -> bool:
        """The API has said OK after our half-close: all of it is judged."""
        return self.status == "OK" and self.half_closed

    @property
    def broken_off(self) -> bool:
        """The API has ended it with OK, and had not read that we wanted that."""
        return self.status == "OK" and not self.half_closed


class Origin(NamedTuple):
    """An incarnation: the place of its first record."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result record. start and end in seconds of call time. place: its offset on its topic."""

    id: str
    session: str
    origin: Origin
    partition: int
    place: int
    written_ms: int
    task: str
    level: str
    start: float
    end: float
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A session event record. audio_ms and results: of an end's summary."""

    id: str
    session: str
    origin: Origin
    partition: int
    written_ms: int
    kind: str
    resumed: bool
    reason: str
    audio_ms: int
    results: int


class Letter(NamedTuple):
    """A dead letter: the record that it was, and why."""

    partition: int
    offset: int
    reason: str
    written_ms: int


class Commit(NamedTuple):
    """What was committed at some moment, by partition."""

    at_ms: int
    offsets: Mapping[int, int]


class Crash(NamedTuple):
    """From when to when a consumer or broker was out without a farewell."""

    begun_ms: int
    over_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the consumers under test promise. exactly_once: else at_least_once."""

    exactly_once: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """topic: the input's name. lag: records not committed in the end. deaths: of replicas."""

    promise: Promise
    topic: str
    fed: Sequence[Fed]
    streams: Sequence[Stream]
    results: Sequence[Result]
    events: Sequence[Event]
    letters: Sequence[Letter]
    commits: Sequence[Commit]
    crashes: Sequence[Crash]
    lag: int
    deaths: Sequence[str] = ()
