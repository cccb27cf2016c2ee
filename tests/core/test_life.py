"""What follows from breaks, outages and draining."""

import pytest

from consumer.core.policy import (
    BackoffPolicy,
    RetryPolicy,
    SessionPolicy,
)
from consumer.core.states import State
from consumer.errors import Fault, LocalProtocolError
from consumer.model import EndReason, LevelChoice, SessionKey
from tests.core.rig import Rig

OTHER = SessionKey("another call")


def retrying(attempts: int = 3, stuck: float = 900.0) -> SessionPolicy:
    """A policy that tries so often, and for so long."""
    backoff = BackoffPolicy(initial=1.0, factor=2.0, maximum=8.0, jitter=0.0)
    return SessionPolicy(retry=RetryPolicy(attempts=attempts, stuck=stuck, backoff=backoff))


def streaming(policy: SessionPolicy | None = None, **options: int) -> Rig:
    """A session whose stream has taken a second of audio."""
    rig = Rig(policy or retrying(), LevelChoice.UTTERANCE, others=options.get("others", 5))
    rig.arrive(1000)
    rig.take_all()
    return rig


# Breaks.


def test_a_break_is_followed_by_a_pause() -> None:
    """Then by the next stream."""
    rig = streaming()
    rig.fail()
    assert (rig.session.state, rig.session.deadline) == (State.BACKOFF, 1.0)
    rig.wait(0.9)
    assert rig.stream is None
    rig.wait(0.1)
    assert rig.open_stream.number == 1


def test_a_break_after_all_was_judged_opens_no_stream() -> None:
    """There is nothing to send; the next chunk opens one."""
    rig = streaming()
    rig.result(1.0)
    rig.fail()
    rig.wait(60.0)
    assert (rig.session.state, len(rig.streams)) == (State.IDLE, 1)
    rig.arrive(1000)
    assert rig.open_stream.base == 1000
    rig.finish()


def test_an_ended_session_with_nothing_left_does_not_wait_for_the_api() -> None:
    """Not for the pause after a break, and not for the breaker."""
    rig = streaming()
    rig.result(1.0)
    rig.fail()
    rig.end()
    assert rig.closed
    rig = streaming(others=0)
    rig.result(1.0)
    rig.fail()
    assert rig.session.state is State.PARKED
    rig.end()
    assert rig.closed


def test_a_break_of_an_ended_session_with_nothing_left_is_its_end() -> None:
    """Its last stream has nothing more to say."""
    rig = streaming()
    rig.result(1.0)
    rig.end()
    rig.fail()
    assert rig.closed


def test_a_session_that_ends_while_it_waits_sends_the_rest_first() -> None:
    """In BACKOFF and in PARKED alike."""
    rig = streaming()
    rig.fail()
    rig.end()
    assert rig.session.state is State.BACKOFF
    rig.finish()
    rig = streaming(others=0)
    rig.fail()
    rig.end(EndReason.IDLE)
    assert rig.session.state is State.PARKED
    rig.finish()


# Outages.


def test_an_open_breaker_parks_the_session() -> None:
    """Audio is forgotten on arrival, and nothing is lost."""
    rig = streaming(others=0)
    rig.fail()
    assert rig.session.state is State.PARKED
    held = rig.session.held
    rig.arrive(1000)
    assert (rig.session.held, rig.session.backlog(rig.now)) == (held, 0)
    assert rig.session.deadline is None
    rig.finish()
    assert len(rig.streams[-1].given) == 4000


def test_after_an_outage_sessions_come_back_with_a_pause() -> None:
    """Not all at the same instant."""
    rig = streaming(others=0)
    rig.fail()
    rig.now = 100.0
    rig.probe()
    assert (rig.session.state, rig.session.deadline) == (State.BACKOFF, 101.0)
    rig.finish()


def test_a_breaker_that_opens_during_the_pause_parks_the_session() -> None:
    """At its next attempt."""
    rig = streaming()
    rig.fail()
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.wait(1.0)
    assert rig.session.state is State.PARKED
    rig.finish()


def test_a_new_session_is_parked_while_the_breaker_is_open() -> None:
    """It opens no stream."""
    rig = Rig()
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.arrive(1000)
    assert (rig.session.state, rig.streams) == (State.PARKED, [])
    rig.finish()


def test_a_stream_that_works_goes_on_while_the_breaker_is_open() -> None:
    """Only new ones are not opened."""
    rig = streaming()
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.arrive(1000)
    rig.take_all()
    assert rig.session.state is State.STREAMING
    rig.finish()


def test_refused_credentials_park_the_session_at_once() -> None:
    """And cost no attempt of its audio."""
    rig = streaming(retrying(attempts=1))
    rig.fail(Fault.SETTINGS, "UNAUTHENTICATED")
    assert (rig.session.state, rig.dead) == (State.PARKED, {})
    rig.finish()


# Draining.


def test_draining_brings_the_stream_to_its_ok() -> None:
    """What has come goes out, and no other stream is opened."""
    rig = streaming()
    rig.arrive(100)
    rig.drain()
    assert rig.open_stream.half_close_asked
    rig.arrive(100)
    rig.take_all()
    rig.ok()
    assert (rig.session.state, rig.settled_below) == (State.IDLE, 102)
    rig.wait(5000.0)
    assert (rig.session.state, rig.dead) == (State.IDLE, {})


def test_draining_while_waiting_opens_nothing() -> None:
    """The rest is read again by whoever comes next."""
    rig = streaming()
    rig.fail()
    rig.drain()
    rig.wait(5000.0)
    assert (rig.session.state, rig.stream, rig.dead) == (State.IDLE, None, {})
    assert rig.session.deadline is None


def test_a_state_that_the_table_does_not_allow_is_a_bug() -> None:
    """It is found out at once."""
    rig = streaming()
    with pytest.raises(LocalProtocolError, match="streaming can't become idle here"):
        rig.session._life.become(State.IDLE)
