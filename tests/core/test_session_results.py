"""Results are published in call time and settle what the governing level covers."""

import pytest

from consumer.core.events import (
    Publish,
    Settle,
)
from consumer.core.policy import SessionPolicy, StreamPolicy
from consumer.model import (
    Level,
    LevelChoice,
)
from tests.core.rig import Rig


def spans(rig: Rig, level: Level) -> list[tuple[int, int, bool]]:
    """What was published at a level, in milliseconds of the call."""
    return [(r.start_ms, r.end_ms, r.clamped) for r in rig.results if r.level is level]


def test_a_result_settles_what_it_covers() -> None:
    """And not the record after it."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    second = rig.arrive(1000)
    rig.take_all()
    rig.result(1.5)
    assert rig.settled_below == second


def test_segments_settle_only_where_they_govern() -> None:
    """At level `all` they are published and settle nothing."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(2000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.wait(5.0)
    assert (len(rig.results), rig.settled_below) == (1, 0)
    rig = Rig(level=LevelChoice.SEGMENT)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    assert rig.settled_below == offset + 1


def test_at_level_all_an_utterance_settles_a_moment_later() -> None:
    """The segment that closes it may come after it."""
    rig = Rig(level=LevelChoice.ALL)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    assert rig.settled_below == 0
    assert rig.session.deadline == pytest.approx(1.0)
    rig.wait(1.0)
    assert rig.settled_below == offset + 1


def test_at_level_all_an_utterance_settles_with_the_next_message() -> None:
    """Which is published before."""
    rig = Rig(level=LevelChoice.ALL)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    rig.result(2.0, Level.SEGMENT)
    assert [type(a) for a in rig.actions] == [Publish, Settle]
    assert rig.settled_below == offset + 1


def test_a_break_before_the_closing_segment_loses_neither() -> None:
    """What was held is not settled; the next stream hears it again and repeats nothing."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(4000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(4.0)
    rig.fail()
    assert rig.settled_below == 0
    rig.wait(5.0)
    assert rig.open_stream.base == 0
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(4.0)
    rig.result(4.0, Level.SEGMENT)
    assert spans(rig, Level.SEGMENT) == [(0, 2000, False), (2000, 4000, False)]
    assert spans(rig, Level.UTTERANCE) == [(0, 4000, False)]
    assert rig.session.tally.dropped == 2
    rig.finish()


def test_results_across_a_break_never_overlap() -> None:
    """A segment that straddles is dropped, an utterance is shortened."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(6000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(3.0, Level.UTTERANCE)
    rig.fail()
    rig.wait(5.0)
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    rig.result(3.0, Level.SEGMENT)
    rig.result(5.0, Level.SEGMENT)
    rig.result(5.0, Level.UTTERANCE)
    assert spans(rig, Level.SEGMENT) == [(0, 2000, False), (3000, 5000, False)]
    assert spans(rig, Level.UTTERANCE) == [(0, 3000, False), (3000, 5000, True)]
    rig.finish()


def test_results_after_a_roll_over_go_on_in_call_time() -> None:
    """The second stream's clock starts anew, the call's does not."""
    rig = Rig(SessionPolicy(stream=StreamPolicy(horizon=2.0)), LevelChoice.UTTERANCE)
    for _ in range(20):
        rig.wait(0.25)
        rig.arrive(250)
        rig.take_all()
    base = rig.open_stream.base + rig.open_stream.heard
    rig.ok()
    rig.arrive(2000)
    rig.take_all()
    rig.result(1.0)
    assert spans(rig, Level.UTTERANCE) == [(base, base + 1000, False)]
    rig.finish()


def test_only_the_governing_level_counts_as_judged() -> None:
    """A segment may be reported whose utterance never comes."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(4000)
    rig.take_all()
    rig.result(4.0, Level.SEGMENT)
    rig.result(3.0, Level.UTTERANCE)
    assert rig.session.tally.judged_ms == 3000


def test_a_result_beyond_what_was_sent_is_cut_there() -> None:
    """And judges no more than what the stream has taken."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(500)
    rig.take()
    second = rig.arrive(500)
    rig.result(99.0)
    assert spans(rig, Level.UTTERANCE) == [(0, 1000, False)]
    assert rig.settled_below == second
    rig.finish()


def test_a_result_of_the_other_level_only_settles_nothing() -> None:
    """An API that sends what nobody asked for does no harm."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(2000)
    rig.take_all()
    rig.result(2.0, Level.UTTERANCE)
    assert (len(rig.results), rig.settled_below) == (1, 0)
    rig.finish()


def test_all_results_of_a_message_go_out_in_its_order() -> None:
    """Several tasks share a span."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(2000)
    rig.take_all()
    rig.message(rig.open_stream.found(2.0, task="age"), rig.open_stream.found(2.0, task="emotion"))
    assert [r.task for r in rig.results] == ["age", "emotion"]
    assert rig.session.tally.judged_ms == 2000
