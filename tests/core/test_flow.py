"""A mark is over from its high line until it is below its low line."""

from consumer.core.flow import Mark


def test_a_mark_is_over_from_its_high_line_on() -> None:
    """Exactly there."""
    mark = Mark(10, 5)
    mark.add(9)
    assert not mark.over
    mark.add(1)
    assert mark.over


def test_a_mark_stays_over_until_it_is_below_its_low_line() -> None:
    """In between nothing changes, so it does not flutter."""
    mark = Mark(10, 5)
    mark.add(12)
    mark.add(-7)
    assert (mark.over, mark.value) == (True, 5)
    mark.add(-1)
    assert not mark.over
    mark.add(5)
    assert (mark.over, mark.value) == (False, 9)
