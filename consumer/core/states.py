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

_OPENING = frozenset({_I, _S, _C, _P, _X, _Z})
"""From rest: a stream opens, and may take all there is and half-close in the same step."""
_WORKING = frozenset({_S, _C, _B, _P, _X, _Z})
_ENDING = frozenset({_C, _I, _S, _B, _P, _X, _Z})
_WAITING = frozenset({_B, _S, _C, _P, _X, _Z})
_PARKING = frozenset({_P, _B})
_DEAD = frozenset({_X, _Z})
_REVIVED = frozenset({_X, _I, _S, _C, _P, _Z})

_ANY = (AudioReplayed, AudioTaken, ResultArrived, StreamEnded, StreamBroke, EndMarked, Released,
        DrainRequested, TimePassed)  # fmt: skip

TRANSITIONS: Mapping[State, Mapping[type[Any], frozenset[State]]] = {
    _I: dict.fromkeys((AudioArrived, *_ANY), _OPENING),
    _S: dict.fromkeys((AudioArrived, *_ANY), _WORKING) | {StreamEnded: _WAITING | {_I}},
    _C: dict.fromkeys((AudioArrived, *_ANY), _ENDING),
    _B: dict.fromkeys((AudioArrived, *_ANY), _WAITING),
    _P: dict.fromkeys((AudioArrived, *_ANY), _PARKING),
    _X: dict.fromkeys(_ANY, _DEAD) | {AudioArrived: _REVIVED},
    _Z: {},
}
"""Which states a session may be in after an event; what isn't here can't happen."""
