"""The transition table is complete, and each of its claims comes true in some story."""

from collections import defaultdict
from typing import Any

import pytest

from consumer.core.breaker import Breaker
from consumer.core.events import (
    AudioArrived,
    AudioReplayed,
    AudioTaken,
    DrainRequested,
    EndMarked,
    Event,
    Released,
    ResultArrived,
    StreamBroke,
    StreamEnded,
    TimePassed,
)
from consumer.core.life import Life
from consumer.core.states import TRANSITIONS, State
from tests.core.stories import NEWS, STORIES

Passed = dict[tuple[State, type[Any]], set[State]]


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Passed:
    """States passed through after an event in a state; fills while sessions are told things."""
    found: Passed = defaultdict(set)
    meet, become = Life.meet, Life.become
    at: list[tuple[State, type[Any]]] = []

    def meeting(life: Life, event: Event) -> None:
        at[:] = [(life.state, type(event))]
        found[at[0]] |= set()
        meet(life, event)

    def becoming(life: Life, state: State) -> None:
        found[at[0]].add(state)
        become(life, state)

    monkeypatch.setattr(Life, "meet", meeting)
    monkeypatch.setattr(Life, "become", becoming)
    return found


def test_every_claim_of_the_table_comes_true(passed: Passed) -> None:
    """Each story is told each piece of news; together they pass exactly where the table says."""
    reached: Passed = defaultdict(set)
    for state, stories in STORIES.items():
        for story in stories:
            for told in NEWS:
                rig = story()
                assert rig.session.state is state
                passed.clear()
                told(rig)
                for place, states in passed.items():
                    reached[place] |= states
    claimed = {
        (state, event): set(states)
        for state, row in TRANSITIONS.items()
        for event, states in row.items()
    }
    assert reached == claimed


def test_every_state_and_event_has_its_place() -> None:
    """What is not in the table can't happen: news after the end, and a second release."""
    for state in set(State) - {State.CLOSED}:
        missing = {Released} if state is not State.IDLE else set()
        events = {AudioArrived, AudioReplayed, AudioTaken, DrainRequested, EndMarked, Released,
                  ResultArrived, StreamBroke, StreamEnded, TimePassed}  # fmt: skip
        assert set(TRANSITIONS[state]) == events - missing
    assert TRANSITIONS[State.CLOSED] == {}


def test_no_state_claims_to_stay() -> None:
    """Staying is always allowed, so the table does not say it, unless it is left and met again."""
    again = {
        (state, event)
        for state, row in TRANSITIONS.items()
        for event, states in row.items()
        if state in states
    }
    assert again == {(State.CLOSING, StreamEnded)}


def test_a_breaker_that_is_closed_lets_all_stories_end() -> None:
    """No state is a dead end: from each, the session comes to its end with everything settled."""
    for stories in STORIES.values():
        for story in stories:
            rig = story()
            assert isinstance(rig.breaker, Breaker)
            rig.finish()
