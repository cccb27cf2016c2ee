"""Everything that can happen has a place in the session, and nothing else does."""

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from consumer.core.events import Event, TimePassed
from consumer.core.session import Session
from consumer.core.states import TRANSITIONS
from consumer.model import Offset

EVENTS = set(get_args(Event))


def test_every_event_has_its_handler() -> None:
    """One door, and behind it one handler for each event."""
    assert set(Session._HANDLERS) == EVENTS


def test_the_table_knows_no_other_events() -> None:
    """And each event can happen in some state."""
    assert set().union(*TRANSITIONS.values()) == EVENTS


def test_events_are_values() -> None:
    """Nobody changes what has happened."""
    assert TimePassed() == TimePassed()
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        TimePassed().offset = Offset(3)  # type: ignore[attr-defined]  # that is the point
