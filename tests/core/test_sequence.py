"""Sequence numbers tell what is new, repeated, late or missing."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.sequence import Admission, Novelty, SequenceWindow
from tests.core.call import Fate, SeenNumbers

NEW = Admission(Novelty.NEW)
REPEAT = Admission(Novelty.REPEAT)
LATE = Admission(Novelty.LATE)
FATES = {Novelty.NEW: Fate.AUDIO, Novelty.REPEAT: Fate.REPEAT, Novelty.LATE: Fate.LATE}


def judged(*numbers: int | None, width: int = 8) -> list[Admission]:
    """What a window says of these numbers in turn."""
    window = SequenceWindow(width)
    return [window.judge(number) for number in numbers]


def test_without_numbers_everything_is_new() -> None:
    """Nobody has to number their chunks."""
    assert judged(None, None) == [NEW, NEW]


def test_the_first_number_may_be_any() -> None:
    """A consumer that enters in mid-call misses nothing."""
    assert judged(500, 501) == [NEW, NEW]


def test_a_gap_is_counted_at_the_chunk_after_it() -> None:
    """Numbers 6 and 7 never came."""
    assert judged(5, 8) == [NEW, Admission(Novelty.NEW, 2)]


def test_a_number_seen_before_is_a_repeat() -> None:
    """However often."""
    assert judged(5, 6, 5, 6, 6) == [NEW, NEW, REPEAT, REPEAT, REPEAT]


def test_a_number_that_was_jumped_over_is_late() -> None:
    """Its place in the call has gone by."""
    assert judged(5, 8, 6) == [NEW, Admission(Novelty.NEW, 2), LATE]


def test_a_step_back_beyond_the_window_starts_the_count_anew() -> None:
    """A gateway that restarts must not lose the rest of the call."""
    assert judged(500, 0, 1, 0) == [NEW, NEW, NEW, REPEAT]


def test_the_window_ends_where_it_says() -> None:
    """Of eight numbers the seventh back is known, the eighth back is a new count."""
    assert judged(10, 3)[1] == LATE
    assert judged(10, 2)[1] == NEW


def test_a_start_mark_forgets_the_count() -> None:
    """The producer says that it starts at any number."""
    window = SequenceWindow(8)
    window.judge(5)
    window.restart()
    assert window.judge(5) == NEW


def test_a_huge_jump_costs_nothing() -> None:
    """The gap is counted, not stored."""
    assert judged(0, 2**31, 2**31) == [NEW, Admission(Novelty.NEW, 2**31 - 1), REPEAT]


@given(
    st.lists(st.one_of(st.integers(0, 30), st.sampled_from([99, 500]), st.none()), max_size=60),
    st.integers(1, 12),
)
def test_the_window_agrees_with_a_plain_set(numbers: list[int | None], width: int) -> None:
    """The bit mask is only a fast way of remembering."""
    window, plain = SequenceWindow(width), SeenNumbers(width)
    for number in numbers:
        if number is None:
            plain.restart()
            window.restart()
        else:
            found = window.judge(number)
            assert (FATES[found.novelty], found.missing) == plain.judge(number)
