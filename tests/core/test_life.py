"""What follows from breaks, refusals, outages and draining."""

import pytest

from consumer.core.breaker import Breaker
from consumer.core.events import Cancel, DeadLettered
from consumer.core.policy import (
    BackoffPolicy,
    BreakerPolicy,
    RetryPolicy,
    SessionPolicy,
)
from consumer.core.states import State
from consumer.errors import Fault, LocalProtocolError
from consumer.model import EndReason, Hertz, LevelChoice, SessionEnded, SessionKey
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


def poisoned() -> Rig:
    """A session whose audio was refused."""
    rig = streaming(retrying(attempts=1))
    rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
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


# Refusals.


def test_audio_that_the_api_refuses_is_tried_as_often_as_the_policy_says() -> None:
    """Then the session is poisoned, and its audio goes to the dead letters."""
    rig = streaming(retrying(attempts=3))
    for _ in range(2):
        rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
        assert rig.session.state is State.BACKOFF
        rig.wait(10.0)
    rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
    assert rig.session.state is State.POISONED
    assert rig.dead == {100: "refused"}
    assert rig.settled_below == 101


def test_an_end_mark_is_no_dead_letter() -> None:
    """A session that has ended can be refused; its mark holds no audio."""
    rig = streaming(retrying(attempts=1))
    rig.end()
    rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
    assert (rig.dead, rig.closed) == ({100: "refused"}, True)
    assert rig.settled_below == rig.next_offset


def test_a_poisoned_sessions_further_audio_is_dead_lettered() -> None:
    """Until its end."""
    rig = poisoned()
    second = rig.arrive(1000)
    assert rig.dead[second] == "poisoned"
    assert rig.settled_below == second + 1
    rig.end()
    assert rig.closed
    ended = rig.published[-1]
    assert isinstance(ended, SessionEnded)
    assert (ended.summary.dead_letters, ended.summary.audio_ms) == (2, 2000)


def test_another_format_heals_a_poisoned_session() -> None:
    """It is other audio, and begins after what was given up."""
    rig = poisoned()
    rig.arrive(1000)
    rig.arrive(1600, rate=Hertz(1600))
    assert rig.session.state is State.STREAMING
    assert rig.open_stream.base == 2000
    rig.take_all()
    rig.result(1.0)
    assert (rig.results[-1].start_ms, rig.results[-1].end_ms) == (2000, 3000)
    rig.finish()


def test_a_healed_session_has_all_its_attempts() -> None:
    """What was refused before is not held against it."""
    rig = streaming(retrying(attempts=2))
    for _ in range(2):
        rig.fail(Fault.AUDIO)
        rig.wait(10.0)
    rig.arrive(1600, rate=Hertz(1600))
    rig.fail(Fault.AUDIO)
    assert rig.session.state is State.BACKOFF
    rig.finish()


def test_a_poisoned_session_is_parked_when_it_heals_during_an_outage() -> None:
    """It is treated like any other."""
    rig = poisoned()
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.arrive(1600, rate=Hertz(1600))
    assert rig.session.state is State.PARKED
    rig.finish()


def test_records_without_audio_heal_nothing() -> None:
    """Neither a mark nor a repeat nor an unreadable chunk is audio of another format."""
    rig = poisoned()
    rig.arrive(0, rate=Hertz(1600))
    bad = rig.unreadable()
    assert rig.session.state is State.POISONED
    assert rig.dead[bad] == "bad-audio"
    rig.finish()


def test_when_too_many_are_refused_nobody_is_given_up() -> None:
    """It is the API or us: the breaker opens and the session is parked with its audio."""
    breaker = Breaker(BreakerPolicy(poisoned=0, poisoned_share=0.0))
    rig = Rig(retrying(attempts=1), LevelChoice.UTTERANCE, breaker=breaker)
    rig.arrive(1000)
    rig.take_all()
    rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
    assert (rig.session.state, rig.dead) == (State.PARKED, {})
    assert breaker.reason == "too many sessions refused at once"
    rig.finish()


def test_audio_that_was_spared_is_not_given_up_for_a_broken_connection() -> None:
    """Only a refusal of the audio is one."""
    breaker = Breaker(BreakerPolicy(poisoned=1, poisoned_share=0.0, window=1.0))
    assert breaker.may_poison(0.0)
    rig = Rig(retrying(attempts=1), LevelChoice.UTTERANCE, breaker=breaker)
    rig.arrive(1000)
    rig.fail(Fault.AUDIO)
    assert rig.session.state is State.PARKED
    rig.now = 100.0
    rig.probe()
    rig.wait(10.0)
    rig.fail(Fault.TRANSIENT)
    assert rig.dead == {}
    rig.finish()


def test_a_refusal_while_the_breaker_is_open_gives_nothing_up() -> None:
    """Who knows whose fault it is."""
    rig = streaming(retrying(attempts=1))
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.fail(Fault.AUDIO)
    assert (rig.session.state, rig.dead) == (State.PARKED, {})
    rig.finish()


# Getting stuck.


def test_a_session_that_settles_nothing_for_too_long_is_given_up() -> None:
    """Its stream is cancelled, since it would only go on like that."""
    rig = streaming(retrying(stuck=50.0))
    rig.wait(49.0)
    assert rig.session.state is State.STREAMING
    rig.wait(1.0)
    assert (rig.did(Cancel), rig.did(DeadLettered)) == (True, True)
    assert rig.dead == {100: "stuck"}
    rig.finish()


def test_a_session_in_its_pause_can_get_stuck_too() -> None:
    """There is no stream to cancel."""
    rig = streaming(retrying(stuck=5.0))
    rig.fail()
    rig.now = 5.0
    rig.look()
    assert (rig.session.state, rig.did(Cancel)) == (State.POISONED, False)


def test_progress_keeps_a_session_from_being_stuck() -> None:
    """Each settled second starts the time anew."""
    rig = streaming(retrying(stuck=50.0))
    rig.wait(40.0)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0)
    rig.wait(49.0)
    assert rig.dead == {}
    rig.wait(1.0)
    assert rig.dead == {101: "stuck"}


def test_an_outage_is_no_session_being_stuck() -> None:
    """The time starts anew when the API works again."""
    rig = streaming(retrying(stuck=50.0), others=0)
    rig.fail()
    rig.breaker.probing()
    rig.breaker.probed("UNAVAILABLE", 1.0)
    rig.now = 500.0
    rig.probe()
    rig.wait(20.0)
    assert rig.session.state is State.STREAMING
    assert rig.dead == {}


def test_a_breaker_that_opens_and_closes_gives_a_stuck_session_no_time() -> None:
    """Outages before it was parked were not its own, and its probe found the API working."""
    rig = streaming(retrying(stuck=50.0), others=0)
    rig.breaker.outages = 7
    rig.wait(40.0)
    rig.fail()
    assert rig.session.state is State.PARKED
    rig.probe()
    rig.wait(10.0)
    assert rig.dead == {100: "stuck"}


def test_audio_that_keeps_coming_does_not_hide_that_nothing_settles() -> None:
    """The time runs from the first audio that waits."""
    rig = streaming(retrying(stuck=50.0))
    for _ in range(5):
        rig.wait(9.0)
        rig.arrive(1000)
        rig.take_all()
    rig.wait(5.0)
    assert set(rig.dead.values()) == {"stuck"}


def test_the_time_begins_with_the_audio() -> None:
    """A process may have run for days."""
    rig = Rig(retrying(stuck=50.0))
    rig.now = 1e6
    rig.arrive(1000)
    rig.wait(49.0)
    assert rig.dead == {}


def test_a_result_that_is_about_to_settle_comes_in_time() -> None:
    """At level `all` it is held for a moment, which must not be the one too many."""
    rig = Rig(retrying(stuck=50.0), LevelChoice.ALL)
    rig.arrive(1000)
    rig.take_all()
    rig.wait(49.5)
    rig.result(1.0)
    rig.wait(5.0)
    assert (rig.dead, rig.settled_below) == ({}, 101)


def test_a_session_with_nothing_to_settle_is_never_stuck() -> None:
    """A caller may be on hold for an hour after all was judged."""
    rig = streaming(retrying(stuck=50.0))
    rig.result(1.0)
    rig.wait(3600.0)
    rig.look()
    assert (rig.session.state, rig.dead) == (State.STREAMING, {})


def test_a_session_that_is_stuck_in_an_outage_gets_as_much_time_again() -> None:
    """Its own stream is open, but nobody can tell whose fault it is that nothing comes."""
    rig = streaming(retrying(stuck=50.0))
    rig.breaker.failed(OTHER, Fault.SETTINGS, "refused", rig.now)
    rig.wait(60.0)
    rig.probe()
    rig.wait(39.0)
    assert rig.dead == {}
    rig.wait(1.0)
    assert rig.dead == {100: "stuck"}


def test_when_too_many_are_stuck_they_get_as_much_time_again() -> None:
    """The breaker opens, and once it has closed the session streams on."""
    breaker = Breaker(BreakerPolicy(poisoned=0, poisoned_share=0.0))
    rig = Rig(retrying(stuck=50.0), LevelChoice.UTTERANCE, breaker=breaker)
    rig.arrive(1000)
    rig.take_all()
    rig.wait(50.0)
    assert (breaker.allows, rig.dead) == (False, {})
    assert rig.session.state is State.STREAMING
    rig.probe()
    rig.look()
    assert breaker.allows
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
