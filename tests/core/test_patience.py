"""A session tries as often and as long as its policy says."""

from consumer.core.patience import Patience
from consumer.core.policy import BackoffPolicy, RetryPolicy
from consumer.errors import Fault

POLICY = RetryPolicy(
    attempts=3,
    alive=30.0,
    stuck=900.0,
    backoff=BackoffPolicy(initial=1.0, factor=2.0, maximum=4.0, jitter=0.0),
)


def broken(times: int, fault: Fault = Fault.AUDIO, lived: float = 1.0) -> Patience:
    """A session whose streams broke so often at the start of the call."""
    patience = Patience(POLICY, "call")
    for _ in range(times):
        patience.broke(fault, 0, lived, 100.0)
    return patience


def test_pauses_grow_up_to_their_maximum() -> None:
    """One second, two, four, four."""
    found = []
    patience = Patience(POLICY, "call")
    for _ in range(4):
        patience.broke(Fault.TRANSIENT, 0, 1.0, 100.0)
        found.append(patience.retry_at - 100.0)
    assert found == [1.0, 2.0, 4.0, 4.0]


def test_audio_that_is_refused_often_enough_is_given_up() -> None:
    """Not before."""
    assert not broken(2).refused
    assert broken(3).refused


def test_other_breaks_give_no_audio_up() -> None:
    """However many."""
    assert not broken(50, Fault.TRANSIENT).refused
    assert not broken(50, Fault.SETTINGS).refused


def test_progress_beyond_the_break_fills_the_budget() -> None:
    """Opening and writing is no progress."""
    patience = broken(2)
    patience.progress(10, 100.0)
    patience.broke(Fault.AUDIO, 10, 1.0, 100.0)
    assert not patience.refused
    patience.progress(10, 100.0)
    patience.broke(Fault.AUDIO, 10, 1.0, 100.0)
    patience.broke(Fault.AUDIO, 10, 1.0, 100.0)
    assert patience.refused


def test_a_stream_that_lived_long_fills_the_budget() -> None:
    """Silent callers get no results, but their streams work."""
    patience = broken(2)
    patience.broke(Fault.AUDIO, 0, 30.0, 200.0)
    assert not patience.refused
    assert patience.retry_at == 201.0


def test_audio_is_stuck_when_nothing_is_settled_for_long() -> None:
    """Counted from when it began to wait, or from the last progress."""
    patience = Patience(POLICY, "call")
    patience.begin(10.0)
    assert patience.stuck_at == 910.0
    patience.progress(5, 50.0)
    assert patience.stuck_at == 950.0


def test_an_outage_is_not_held_against_the_session() -> None:
    """Nobody could make progress meanwhile."""
    patience = Patience(POLICY, "call")
    patience.begin(10.0)
    patience.park(outages=4)
    patience.unpark(outages=5, now=500.0)
    assert (patience.stuck_at, patience.retry_at) == (1400.0, 501.0)


def test_a_breaker_that_only_flutters_gives_no_time_back() -> None:
    """No probe has failed, so the API works and the session may be what trips it."""
    patience = Patience(POLICY, "call")
    patience.begin(10.0)
    patience.park(outages=4)
    patience.unpark(outages=4, now=500.0)
    assert (patience.stuck_at, patience.retry_at) == (910.0, 501.0)
