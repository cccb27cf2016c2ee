"""A stream that ends settles what it carried only by an OK after our half-close."""

import pytest

from consumer.core.events import (
    AudioTaken,
    Settle,
    StreamEnded,
)
from consumer.core.policy import SessionPolicy, StreamPolicy
from consumer.core.states import State
from consumer.errors import Fault
from consumer.model import (
    Frames,
    Level,
    LevelChoice,
    SessionKey,
    StreamNumber,
)
from tests.core.rig import Rig


def spans(rig: Rig, level: Level) -> list[tuple[int, int, bool]]:
    """What was published at a level, in milliseconds of the call."""
    return [(r.start_ms, r.end_ms, r.clamped) for r in rig.results if r.level is level]


def test_an_ok_after_our_half_close_settles_all_that_was_sent() -> None:
    """Silence gets no result."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    rig.take_all()
    rig.ok()
    assert (rig.closed, rig.results) == (True, [])


def test_an_ok_leaves_nothing_to_wait_for() -> None:
    """Not even what was held for a moment."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.drain()
    rig.take_all()
    rig.result(1.0)
    rig.ok()
    assert (rig.session.state, rig.session.deadline) == (State.IDLE, None)


@pytest.mark.parametrize("sign", ["result", "ok"])
def test_a_sign_of_life_from_the_api_counts_for_all(sign: str) -> None:
    """The failures of others before it open no breaker."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    rig.take_all()
    for other in "ab":
        rig.breaker.failed(SessionKey(other), Fault.TRANSIENT, "UNAVAILABLE", rig.now)
    if sign == "result":
        rig.result(1.0)
    else:
        rig.ok()
    rig.breaker.failed(SessionKey("c"), Fault.TRANSIENT, "UNAVAILABLE", rig.now)
    assert rig.breaker.allows


def test_an_ok_before_our_half_close_settles_nothing() -> None:
    """It is a break: who knows what was heard."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.ok()
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    assert rig.session.tally.breaks == 1
    rig.finish()


def test_an_ok_while_our_half_close_waits_to_be_written_settles_nothing() -> None:
    """The API can't have meant it as an answer."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    assert rig.session.state is State.CLOSING
    rig.ok()
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    rig.finish()


def test_a_claim_of_half_close_that_we_never_asked_for_settles_nothing() -> None:
    """Whatever is said of the stream."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.oracle.broke(Fault.TRANSIENT, rig.now)
    rig.tell(StreamEnded(StreamNumber(0), half_closed=True))
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    rig.finish()


def test_after_a_break_the_next_stream_carries_all_that_is_not_judged() -> None:
    """Config first, then from the first unjudged frame on."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(3000)
    rig.take_all()
    rig.result(1.25)
    rig.fail()
    rig.wait(5.0)
    rig.take_all()
    assert rig.open_stream.base == 1250
    assert len(rig.open_stream.given) == 2 * 1750
    rig.result(1.0)
    assert spans(rig, Level.UTTERANCE)[-1] == (1250, 2250, False)
    rig.finish()


def test_news_of_an_older_stream_changes_nothing() -> None:
    """A stream is meant by its number."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    assert rig.session.streaming
    rig.fail()
    assert not rig.session.streaming
    rig.wait(5.0)
    rig.tell(AudioTaken(StreamNumber(0), Frames(1000)))
    rig.tell(StreamEnded(StreamNumber(0), half_closed=True))
    rig.result(1.0)
    assert (rig.session.state, rig.settled_below) == (State.STREAMING, 0)
    assert rig.open_stream.number == 1
    rig.finish()


def test_an_ok_that_overtakes_our_half_close_is_a_break() -> None:
    """The OK came while the half-close waited to be written, so it says nothing of the audio."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(1000)
    rig.end()
    before = rig.session.state
    rig.ok()
    assert (before, rig.session.state) == (State.CLOSING, State.BACKOFF)
    assert not any(isinstance(action, Settle) for action in rig.actions)
    rig.finish()


def test_a_stream_that_still_answers_after_the_half_close_is_given_time() -> None:
    """An API that is behind brings its results, then its OK; to break it off would begin anew."""
    policy = SessionPolicy(stream=StreamPolicy(close_timeout=30.0))
    rig = Rig(policy, LevelChoice.SEGMENT)
    rig.now = 1.0
    rig.arrive(4000)
    rig.take_all()
    rig.end()
    rig.take_all()
    states = [rig.session.state]
    for second in (1.0, 2.0):
        rig.now += 29.0
        rig.result(second, Level.SEGMENT)
        states.append(rig.session.state)
    rig.now += 30.0
    rig.look()
    states.append(rig.session.state)
    assert states == [State.CLOSING] * 3 + [State.BACKOFF]
