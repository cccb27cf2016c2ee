"""The states of a session, and which may follow which.

IDLE       no stream; opens one when there is audio
STREAMING  a stream takes audio
CLOSING    half-closed; its OK settles all that was sent
BACKOFF    a stream broke; the next one waits
PARKED     the breaker is open; waits for it
POISONED   the API refuses this audio; everything goes to the dead letters
CLOSED     over
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from consumer.core.events import (
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    DrainRequested,
    EndMarked,
    Released,
    ResultArrived,
    StreamBroke,
    StreamEnded,
    TimePassed,
)


class State(StrEnum):
    """Where a session is in its life."""

    IDLE = "idle"
    STREAMING = "streaming"
    CLOSING = "closing"
    BACKOFF = "backoff"
    PARKED = "parked"
    POISONED = "poisoned"
    CLOSED = "closed"


_I, _S, _C, _B, _P, _X, _Z = State

_STAY: frozenset[State] = frozenset()
_STREAMED = frozenset({_C, _B, _P, _X, _Z})
"""From STREAMING, whatever the event: alarms may be late, so each event may find time over."""
_OVERDUE = frozenset({_B, _P, _X, _Z})
_RETRY = frozenset({_I, _S, _C, _P, _X, _Z})
_UNPARK = frozenset({_B})

_ANY = (AudioArrived, AudioReplayed, AudioTaken, DrainRequested, EndMarked, ResultArrived,
        StreamBroke, StreamEnded, TimePassed)  # fmt: skip

TRANSITIONS: Mapping[State, Mapping[type[Any], frozenset[State]]] = {
    _I: dict.fromkeys(_ANY, _STAY)
    | {
        AudioArrived: frozenset({_S, _P}),
        EndMarked: frozenset({_Z}),
        Released: frozenset({_S, _C, _P, _Z}),
    },
    _S: dict.fromkeys(_ANY, _STREAMED)
    | {AudioArrived: _STREAMED - {_Z}, DrainRequested: _STREAMED - {_X, _Z}},
    _C: dict.fromkeys(_ANY, _OVERDUE)
    | {
        AudioArrived: _OVERDUE - {_Z},
        DrainRequested: _OVERDUE - {_X},
        StreamEnded: _OVERDUE | {_I, _S, _C},
    },
    _B: dict.fromkeys(_ANY, _RETRY)
    | {AudioArrived: _RETRY - {_Z}, DrainRequested: frozenset({_I, _P})},
    _P: dict.fromkeys(_ANY, _UNPARK) | {EndMarked: _UNPARK | {_Z}},
    _X: dict.fromkeys(_ANY, _STAY)
    | {AudioArrived: frozenset({_I, _S, _P}), EndMarked: frozenset({_Z})},
    _Z: {},
}
"""Which states a session may pass through after an event, besides staying; what isn't here can't
happen: nothing is told to a session that is over, and only one that rests can be released.
"""
