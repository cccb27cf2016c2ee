"""Audio is given up when the API refuses it or nothing settles, and never by mistake."""

from consumer.core.breaker import Breaker
from consumer.core.events import Cancel, DeadLettered
from consumer.core.policy import (
    BackoffPolicy,
    BreakerPolicy,
    RetryPolicy,
    SessionPolicy,
)
from consumer.core.states import State
from consumer.errors import Fault
from consumer.model import Hertz, LevelChoice, SessionEnded, SessionKey
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
