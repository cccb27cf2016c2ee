"""The breaker tells one session's trouble from the API's."""

from consumer.core.breaker import Breaker, BreakerState
from consumer.core.policy import BackoffPolicy, BreakerPolicy
from consumer.errors import Fault
from consumer.model import SessionKey

A, B, C, D = map(SessionKey, "abcd")
STEADY = BackoffPolicy(initial=1.0, factor=2.0, maximum=30.0, jitter=0.0)


def breaker(live: int = 10, **numbers: float) -> Breaker:
    """A breaker with so many live sessions."""
    policy = BreakerPolicy(
        sessions=int(numbers.get("sessions", 3)),
        poisoned=int(numbers.get("poisoned", 2)),
        poisoned_share=numbers.get("poisoned_share", 0.0),
        backoff=STEADY,
    )
    found = Breaker(policy)
    for _ in range(live):
        found.joined()
    return found


def fail(found: Breaker, *keys: SessionKey, fault: Fault = Fault.TRANSIENT) -> None:
    """Streams of these sessions break."""
    for key in keys:
        found.failed(key, fault, "UNAVAILABLE: no route", 5.0)


def test_it_opens_when_several_distinct_sessions_fail() -> None:
    """Three of many are enough."""
    found = breaker()
    fail(found, A, B)
    assert found.allows
    fail(found, C)
    assert not found.allows
    assert found.state is BreakerState.OPEN
    assert found.reason == "UNAVAILABLE: no route"
    assert not found.refused


def test_one_session_that_fails_again_and_again_does_not_open_it() -> None:
    """Its trouble is its own."""
    found = breaker()
    fail(found, A, A, A, A)
    assert found.allows


def test_fewer_failures_are_enough_when_fewer_are_live() -> None:
    """With one session, its failure is all there is to go by."""
    found = breaker(live=1)
    fail(found, A)
    assert not found.allows


def test_a_stream_that_works_clears_the_failures() -> None:
    """Only failures without one working in between count."""
    found = breaker()
    fail(found, A, B)
    found.worked()
    fail(found, C)
    assert found.allows


def test_a_session_that_is_gone_does_not_count() -> None:
    """It can't show any more that the API works."""
    found = breaker()
    fail(found, A, B)
    found.left(A)
    fail(found, C)
    assert found.allows


def test_when_sessions_have_left_fewer_failures_are_enough() -> None:
    """Those who are gone are not live."""
    found = breaker(live=3)
    found.left(B)
    found.left(C)
    fail(found, A)
    assert not found.allows


def test_refused_credentials_open_it_at_once() -> None:
    """They are the same for all."""
    found = breaker()
    fail(found, A, fault=Fault.SETTINGS)
    assert not found.allows
    assert found.refused


def test_refused_audio_does_not_count_as_failure() -> None:
    """It is the session's."""
    found = breaker()
    fail(found, A, B, C, D, fault=Fault.AUDIO)
    assert found.allows


def test_a_probe_that_ends_well_closes_it() -> None:
    """Then everything is forgotten."""
    found = breaker()
    fail(found, A, fault=Fault.SETTINGS)
    assert found.probe_at == 6.0
    found.probing()
    assert found.probe_at is None
    assert found.state.value == "probing"
    found.probed(None, 6.5)
    assert (found.allows, found.refused, found.reason, found.outages) == (True, False, "", 0)
    fail(found, A, B)
    assert found.allows


def test_after_a_good_probe_earlier_failures_are_forgotten() -> None:
    """Three sessions must fail anew."""
    found = breaker()
    fail(found, A, B, C)
    found.probing()
    found.probed(None, 6.5)
    fail(found, A, D)
    assert found.allows


def test_a_probe_that_fails_keeps_it_open_for_longer() -> None:
    """The pauses grow, and the outage is counted: it was no session's fault."""
    found = breaker()
    fail(found, A, B, C)
    found.probing()
    found.probed("UNAUTHENTICATED: bad token", 10.0, refused=True)
    assert (found.probe_at, found.outages, found.refused) == (12.0, 1, True)
    assert found.reason == "UNAUTHENTICATED: bad token"
    found.probing()
    found.probed("UNAVAILABLE", 20.0)
    assert (found.probe_at, found.outages, found.refused) == (24.0, 2, False)


def test_the_pauses_start_over_once_a_stream_has_worked() -> None:
    """A good probe alone is not proof."""
    found = breaker()
    for pause in (1.0, 2.0):
        fail(found, A, fault=Fault.SETTINGS)
        assert found.probe_at == 5.0 + pause
        found.probed(None, 5.0)
    found.worked()
    fail(found, A, fault=Fault.SETTINGS)
    assert found.probe_at == 6.0


def test_what_works_while_it_is_open_does_not_close_it() -> None:
    """An old stream may have results left when new ones are refused."""
    found = breaker()
    fail(found, A, B, C)
    found.worked()
    assert not found.allows
    found.probing()
    found.probed("UNAVAILABLE", 10.0)
    assert found.probe_at == 12.0


def test_failures_while_it_is_open_change_nothing() -> None:
    """The first reason stands."""
    found = breaker()
    fail(found, A, B, C)
    found.failed(D, Fault.SETTINGS, "later", 9.0)
    assert found.reason == "UNAVAILABLE: no route"
    assert found.probe_at == 6.0


def test_a_few_sessions_may_be_given_up() -> None:
    """More than that within a minute are the API's fault, and nothing is given up for it."""
    found = breaker()
    assert found.may_poison(0.0)
    assert found.may_poison(30.0)
    assert not found.may_poison(60.0)
    assert not found.allows
    assert found.reason == "too many sessions refused at once"


def test_after_a_minute_others_may_be_given_up() -> None:
    """The window moves."""
    found = breaker()
    assert [found.may_poison(at) for at in (0.0, 1.0, 60.5, 61.5)] == [True] * 4


def test_a_minute_is_a_minute_at_any_time() -> None:
    """Clocks don't start at zero."""
    found = breaker()
    assert [found.may_poison(at) for at in (1000.0, 1001.0, 1002.0)] == [True, True, False]


def test_among_many_sessions_more_may_be_given_up() -> None:
    """Five of a hundred, when that is more than the plain number."""
    found = breaker(live=100, poisoned=2, poisoned_share=0.05)
    assert [found.may_poison(0.0) for _ in range(6)] == [True] * 5 + [False]


def test_while_it_is_open_no_session_is_given_up() -> None:
    """Who knows whose fault it is."""
    found = breaker()
    fail(found, A, B, C)
    assert not found.may_poison(5.0)
