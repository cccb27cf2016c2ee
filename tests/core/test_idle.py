"""A session is idle by topic time while behind, and by the wall clock only when caught up."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.idle import PartitionClock
from consumer.core.policy import IdlePolicy
from consumer.model import Milliseconds, SessionKey

NOW = 1_700_000_000_000
HOUR = 3_600_000
MINUTE = 60_000


def clock() -> PartitionClock:
    """A clock with a timeout of a minute."""
    return PartitionClock(IdlePolicy(timeout=60.0))


def observe(watch: PartitionClock, *records: tuple[str, int]) -> None:
    """Records of these keys at these milliseconds after NOW; the wall stands an hour later."""
    for key, at in records:
        stamp = Milliseconds(NOW + at)
        watch.observe(SessionKey(key), stamp, Milliseconds(NOW + HOUR))


def idle(watch: PartitionClock, at: int, arrived: float = 1e9) -> bool:
    """Whether a session whose last record had this time stamp is over."""
    return watch.idle(Milliseconds(NOW + at), arrived)


# Topic time.


def test_before_any_record_nobody_is_idle() -> None:
    """There is no time yet."""
    assert not idle(clock(), -HOUR)


def test_a_session_is_idle_when_the_topic_has_moved_on_without_it() -> None:
    """By what the records say, however fast they are read."""
    watch = clock()
    observe(watch, ("a", 0), ("b", 30_000), ("b", 59_999))
    assert not idle(watch, 0)
    observe(watch, ("b", MINUTE))
    assert idle(watch, 0)
    assert not idle(watch, 1)


def test_a_record_from_the_past_does_not_turn_time_back() -> None:
    """Order between keys is not promised."""
    watch = clock()
    observe(watch, ("a", 0), ("b", 50_000), ("a", 10_000))
    assert watch.topic_time == NOW + 50_000


def test_one_wrong_clock_does_not_end_the_calls_of_others() -> None:
    """A leap beyond the timeout needs two other keys that confirm it."""
    watch = clock()
    observe(watch, ("a", 0), ("b", 0), ("mad", 30 * MINUTE), ("mad", 31 * MINUTE))
    assert watch.topic_time == NOW
    observe(watch, ("a", 30 * MINUTE))
    assert watch.topic_time == NOW
    observe(watch, ("b", 29 * MINUTE))
    assert watch.topic_time == NOW + 29 * MINUTE


def test_a_leap_leaves_time_to_be_heard_again() -> None:
    """Who seems to be silent over it may have a clock that is behind."""
    watch = clock()
    observe(watch, ("slow", 0), *((key, 50 * MINUTE) for key in "abc"))
    assert watch.topic_time == NOW + 50 * MINUTE
    assert not idle(watch, 0)
    observe(watch, ("a", 50 * MINUTE + 4_999))
    assert not idle(watch, 0)
    observe(watch, ("a", 50 * MINUTE + 5_000))
    assert idle(watch, 0)


def test_nobody_is_silent_since_before_the_first_record() -> None:
    """A call that another owner has left may have a clock that is behind."""
    watch = clock()
    observe(watch, ("a", 0), ("b", 59_999))
    assert not idle(watch, -HOUR)
    observe(watch, ("a", MINUTE))
    assert idle(watch, -HOUR)


def test_ordinary_records_disprove_a_leap() -> None:
    """Witnesses must come without time going on as before."""
    watch = clock()
    observe(watch, ("a", 0), ("b", 0), ("x", 30 * MINUTE), ("y", 30 * MINUTE))
    observe(watch, ("a", 1000), ("z", 30 * MINUTE))
    assert watch.topic_time == NOW + 1000


def test_time_never_runs_ahead_of_the_wall() -> None:
    """A time stamp of tomorrow counts as now."""
    watch = clock()
    for key in "abc":
        watch.observe(SessionKey(key), Milliseconds(NOW + 9 * HOUR), Milliseconds(NOW))
    assert watch.topic_time == NOW


def test_a_wrong_clock_on_the_first_record_is_found_out() -> None:
    """Nothing confirms the first key, so of the first two the lower one counts."""
    watch = clock()
    observe(watch, ("mad", 50 * MINUTE), ("mad", 51 * MINUTE), ("a", 0))
    assert watch.topic_time == NOW
    assert not idle(watch, 0)
    observe(watch, ("b", 1000))
    assert watch.topic_time == NOW + 1000


def test_a_first_record_that_was_right_after_all_is_a_witness() -> None:
    """When the second key's clock stands still."""
    watch = clock()
    observe(watch, ("a", 50 * MINUTE), ("dead", 0), ("b", 50 * MINUTE))
    assert watch.topic_time == NOW
    observe(watch, ("c", 50 * MINUTE))
    assert watch.topic_time == NOW + 50 * MINUTE


def test_each_leap_needs_its_own_witnesses() -> None:
    """Those of the last one have said nothing of the next."""
    watch = clock()
    observe(watch, ("x", 0), ("y", 0))
    observe(watch, *((key, 20 * MINUTE) for key in "abc"))
    observe(watch, ("a", 40 * MINUTE))
    assert watch.topic_time == NOW + 20 * MINUTE


def test_a_first_record_that_is_confirmed_stands() -> None:
    """After two keys agree, a straggler can't turn time back."""
    watch = clock()
    observe(watch, ("a", 50 * MINUTE), ("b", 50 * MINUTE), ("late", 0))
    assert watch.topic_time == NOW + 50 * MINUTE


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 20 * MINUTE)), max_size=40))
def test_two_keys_at_least_must_agree_on_any_leap(records: list[tuple[str, int]]) -> None:
    """Whatever one key says, it alone never moves time further than the timeout."""
    watch = clock()
    observe(watch, ("x", 0), ("y", 0))
    for key, at in records:
        before = watch.topic_time
        observe(watch, (key, at))
        assert watch.topic_time >= before
        if watch.topic_time - before > MINUTE:
            assert sum(moment >= watch.topic_time - NOW for _, moment in records) >= 2


# Wall time.


def test_a_partition_that_was_never_looked_at_is_not_caught_up() -> None:
    """Nothing is known of its end."""
    assert not idle(clock(), 0, arrived=-1e9)


def test_one_fetch_proves_nothing() -> None:
    """It may have been sent before the look."""
    watch = clock()
    watch.look(1, 100.0, at_end=True)
    watch.look(2, 200.0, at_end=True)
    assert not idle(watch, 0, arrived=0.0)


def test_a_fetch_sent_after_the_deadline_that_brings_nothing_proves_the_end() -> None:
    """The second fetch that comes back after a look was sent after it."""
    watch = clock()
    watch.look(1, 100.0, at_end=True)
    watch.look(2, 101.0, at_end=True)
    watch.look(3, 102.0, at_end=True)
    assert idle(watch, 0, arrived=40.0)
    assert not idle(watch, 0, arrived=40.1)


def test_looking_again_without_a_new_fetch_moves_the_proof_later() -> None:
    """Only the newest look before a fetch was sent counts."""
    watch = clock()
    watch.look(1, 100.0, at_end=True)
    watch.look(1, 150.0, at_end=True)
    watch.look(3, 151.0, at_end=True)
    assert idle(watch, 0, arrived=90.0)


def test_fetches_may_be_counted_in_leaps() -> None:
    """Many may come back between two looks."""
    watch = clock()
    watch.look(1, 100.0, at_end=True)
    watch.look(9, 101.0, at_end=True)
    assert idle(watch, 0, arrived=40.0)


def test_a_partition_that_is_behind_is_not_caught_up() -> None:
    """There is something to read, which may be the session's."""
    watch = clock()
    for count in range(1, 5):
        watch.look(count, 100.0 + count, at_end=True)
    watch.look(5, 105.0, at_end=False)
    assert not idle(watch, 0, arrived=0.0)
    watch.look(6, 106.0, at_end=True)
    assert idle(watch, 0, arrived=44.0)


def test_a_partition_that_is_left_out_is_never_caught_up() -> None:
    """Its position equals its end because nobody looks."""
    watch = clock()
    for count in range(1, 5):
        watch.look(count, 100.0 + count, at_end=True)
    watch.unread()
    assert not idle(watch, 0, arrived=0.0)
    watch.look(4, 400.0, at_end=True)
    watch.look(5, 500.0, at_end=True)
    assert not idle(watch, 0, arrived=0.0)
    watch.look(6, 501.0, at_end=True)
    assert idle(watch, 0, arrived=340.0)
    assert not idle(watch, 0, arrived=341.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40))
def test_caught_up_means_a_fetch_sent_after_the_look_came_back(
    looks: list[tuple[int, bool]],
) -> None:
    """Against the plain rule: some look, at least two fetches ago, and no news since."""
    watch, seen, fetches = clock(), [], 0
    for second, (more, at_end) in enumerate(looks):
        fetches += more
        at = 100.0 * second
        seen.append((fetches, at))
        watch.look(fetches, at, at_end=at_end)
        proofs = [look for count, look in seen if at_end and count <= fetches - 2]
        arrived = max(proofs, default=-1e9) - 60.0
        assert idle(watch, 0, arrived) is bool(proofs) or not at_end
        assert not idle(watch, 0, arrived + 0.5)


# Two records of one key.


def test_two_records_far_apart_are_of_two_sessions() -> None:
    """A backlog of an hour may hold many calls of one key."""
    watch, wall = clock(), Milliseconds(NOW + HOUR)
    assert watch.parted(Milliseconds(NOW), Milliseconds(NOW + MINUTE), wall)
    assert not watch.parted(Milliseconds(NOW), Milliseconds(NOW + MINUTE - 1), wall)
    assert not watch.parted(Milliseconds(NOW), Milliseconds(NOW - HOUR), wall)


def test_a_record_of_tomorrow_does_not_part_a_session_of_today() -> None:
    """It counts as now."""
    watch, wall = clock(), Milliseconds(NOW + 1000)
    assert not watch.parted(Milliseconds(NOW), Milliseconds(NOW + 9 * HOUR), wall)
