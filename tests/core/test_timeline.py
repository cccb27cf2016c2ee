"""Call time is exact over changing rates, and results find their place in it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.timeline import Span, StreamClock, Timeline
from consumer.model import Frames, Hertz, Level, LevelChoice, StreamConfig, StreamResult


def config(rate: int, level: LevelChoice = LevelChoice.ALL) -> StreamConfig:
    """A format."""
    return StreamConfig(Hertz(rate), level)


def timeline(*runs: tuple[int, int]) -> Timeline:
    """A timeline of (first frame, rate) runs."""
    line = Timeline()
    for frame, rate in runs:
        line.change(frame, config(rate))
    return line


RUNS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40)), min_size=1, max_size=5)


def laid_out(lengths: list[tuple[int, int]]) -> tuple[Timeline, list[Fraction]]:
    """A timeline of (frames, rate) runs, and by plain adding when each of its frames begins."""
    line, times, frame = Timeline(), [Fraction(0)], 0
    for length, rate in lengths:
        line.change(frame, config(rate))
        times += [times[-1] + Fraction(i, rate) for i in range(1, length + 1)]
        frame += length
    return line, times


def test_an_empty_timeline_stands_at_zero() -> None:
    """Before any audio there is no format and no time."""
    line = Timeline()
    assert line.config is None
    assert line.seconds(0) == 0
    assert line.milliseconds(7) == 0


def test_every_frame_has_the_format_of_its_run() -> None:
    """A change takes effect with its frame."""
    line = timeline((0, 8000), (100, 16000))
    assert line.config_at(99) == config(8000)
    assert line.config_at(100) == config(16000)
    assert line.config == config(16000)


def test_a_format_ends_where_the_next_begins() -> None:
    """The last one goes on."""
    line = timeline((0, 8000), (100, 16000))
    assert line.change_after(0) == 100
    assert line.change_after(100) is None


def test_a_format_without_a_frame_leaves_no_trace() -> None:
    """Two changes at one frame are one."""
    line = timeline((0, 8000), (100, 11025), (100, 16000))
    assert line.config_at(100) == config(16000)
    assert line.seconds(16100) == Fraction(100, 8000) + 1


@given(RUNS)
def test_seconds_and_milliseconds_are_exact(lengths: list[tuple[int, int]]) -> None:
    """Over any runs, time is the sum of the frames before; milliseconds round half up."""
    line, times = laid_out(lengths)
    for frame, at in enumerate(times):
        assert line.seconds(frame) == at
        assert line.milliseconds(frame) == int(at * 1000 + Fraction(1, 2))


@given(RUNS, st.integers(0, 400))
def test_a_whole_second_is_the_first_frame_that_reaches_it(
    lengths: list[tuple[int, int]], frame: int
) -> None:
    """No frame before it is a whole second old, and the stream never has to go back."""
    line, _ = laid_out(lengths)
    whole = line.whole_second(frame)
    second = -(-line.seconds(frame) // 1)
    rate = line.config_at(frame).sample_rate
    run_goes_on = line.change_after(frame) is None
    assert whole >= frame
    reached = line.seconds(frame) + Fraction(whole - frame, rate)
    assert reached >= second
    assert whole == frame or reached - Fraction(1, rate) < second
    assert not run_goes_on or line.seconds(whole) == reached


@given(RUNS, st.integers(0, 300))
def test_pruning_changes_no_later_time(lengths: list[tuple[int, int]], frame: int) -> None:
    """What lies at or after the frame is placed as before."""
    line, times = laid_out(lengths)
    line.prune(frame)
    for later, at in enumerate(times):
        if later >= frame:
            assert line.seconds(later) == at


def test_pruning_keeps_the_last_run() -> None:
    """The format is known however old it is."""
    line = timeline((0, 8000), (100, 16000))
    line.prune(5000)
    assert line.config == config(16000)
    assert line.config_at(0) == config(16000)


def clock(base: int = 100, *, known: int | None = None, rate: int = 1000) -> StreamClock:
    """A clock at level `all`, with segments and utterances published up to `known`."""
    ends = {} if known is None else {(level, "deepfake"): known for level in Level}
    return StreamClock(base, rate, Level.UTTERANCE, ends, 0.01)


def span(start: int, end: int, *, clamped: bool) -> Span:
    """A place in the call."""
    return Span(Frames(start), Frames(end), clamped)


def result(start: str, end: str, level: Level = Level.SEGMENT) -> StreamResult:
    """A finding, times in seconds as the API writes them."""
    return StreamResult("1", Fraction(start), Fraction(end), "deepfake", level, "spoofed")


@pytest.mark.parametrize(
    ("seconds", "frame"), [("0", 100), ("0.0004", 100), ("0.0005", 101), ("2", 2100), ("9", 5000)]
)
def test_a_stream_time_is_rounded_half_up_and_kept_within_what_was_sent(
    seconds: str, frame: int
) -> None:
    """The stream's clock starts at its base."""
    assert clock().frame(Fraction(seconds), sent=5000) == frame


def test_a_result_lies_where_the_stream_began_plus_its_times() -> None:
    """Nothing was published before, so nothing is compared."""
    assert clock().place(result("1", "3"), sent=9000) == span(1100, 3100, clamped=False)


def test_results_of_one_stream_are_never_compared_with_each_other() -> None:
    """The clock forgets what it has placed."""
    watch = clock()
    first = watch.place(result("0", "2"), sent=9000)
    assert watch.place(result("0", "2"), sent=9000) == first


def test_a_segment_that_an_earlier_stream_has_published_is_dropped() -> None:
    """Its hole is covered by the utterance."""
    assert clock(known=2000).place(result("0", "2"), sent=9000) is None


def test_a_segment_may_start_ten_milliseconds_early() -> None:
    """Times come with two decimals; it is shortened by that little."""
    assert clock(known=2110).place(result("2", "4"), sent=9000) == span(2110, 4100, clamped=True)
    assert clock(known=2111).place(result("2", "4"), sent=9000) is None


def test_a_governing_result_is_shortened_instead_of_dropped() -> None:
    """It covers audio that nobody has judged yet."""
    found = result("0", "4", Level.UTTERANCE)
    assert clock(known=2000).place(found, sent=9000) == span(2000, 4100, clamped=True)


def test_a_governing_result_that_says_nothing_new_is_dropped() -> None:
    """It ends where an earlier stream's ended."""
    assert clock(known=4100).place(result("0", "4", Level.UTTERANCE), sent=9000) is None


def test_another_task_is_not_compared() -> None:
    """Each level and task has an end of its own."""
    watch = StreamClock(0, 1000, Level.UTTERANCE, {(Level.SEGMENT, "age"): 5000}, 0.01)
    assert watch.place(result("0", "2"), sent=9000) == span(0, 2000, clamped=False)


def test_what_was_published_is_frozen_when_the_stream_opens() -> None:
    """Later ends don't reach into the clock."""
    ends = {(Level.SEGMENT, "deepfake"): 100}
    watch = StreamClock(100, 1000, Level.UTTERANCE, ends, 0.01)
    ends[Level.SEGMENT, "deepfake"] = 99_999
    assert watch.place(result("0", "2"), sent=9000) == span(100, 2100, clamped=False)
