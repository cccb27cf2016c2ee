"""The tally counts what a session has done, and bounds what a strange API may make it keep."""

from consumer.core.tally import Tally


def test_a_summary_holds_the_counts() -> None:
    """Frozen at the end, with the call's length."""
    tally = Tally()
    tally.records, tally.repeats, tally.missing, tally.dead_letters = 9, 1, 2, 3
    tally.streams, tally.filled_ms = 4, 500
    tally.result("bonafide", 7)
    tally.result("spoofed", 8)
    tally.result("bonafide", 7)
    summary = tally.summary(12_000)
    assert (summary.records, summary.repeats, summary.missing) == (9, 1, 2)
    assert (summary.dead_letters, summary.streams, summary.results) == (3, 4, 3)
    assert (summary.audio_ms, summary.filled_ms) == (12_000, 500)
    assert summary.labels == {"bonafide": 2, "spoofed": 1}
    assert summary.pids == (7, 8)


def test_a_span_that_several_tasks_judge_counts_once() -> None:
    """Judged time is time of the call."""
    tally = Tally()
    for start, end in [(0, 2000), (0, 2000), (1500, 3000), (5000, 6000), (5200, 5400)]:
        tally.judged(start, end)
    assert tally.judged_ms == 4000


def test_labels_and_processes_are_bounded() -> None:
    """Whatever the API sends passes through, but is not counted apart for ever."""
    tally = Tally()
    for number in range(200):
        tally.result(f"label {number}", number)
    summary = tally.summary(0)
    assert summary.results == 200
    assert len(summary.labels) == 65
    assert summary.labels["other"] == 200 - 64
    assert len(summary.pids) == 64
