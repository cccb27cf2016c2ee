"""What the topics say about calls, and what the report makes of it."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from consumer.codec.results import PublicationEncoder
from consumer.demo.call import Call
from consumer.demo.cast import Part
from consumer.demo.guise import Guise
from consumer.demo.ledger import Entry, Ledger
from consumer.demo.report import Outcome, summary
from consumer.demo.show import LiveShow, PlainShow, line
from consumer.errors import RecordError
from consumer.model import (
    AudioFormat,
    EndReason,
    Hertz,
    Incarnation,
    Level,
    LevelChoice,
    Milliseconds,
    Offset,
    Partition,
    Prediction,
    Publication,
    Record,
    SessionEnded,
    SessionKey,
    SessionResult,
    SessionStarted,
    SessionSummary,
    StreamNumber,
)

ANN, BEN = SessionKey("ann"), SessionKey("ben")
PLACE = Partition("calls", 0)
BIRTH = Incarnation("calls", 0, Offset(0))
ENCODER = PublicationEncoder("results", "sessions")


def sent(key: SessionKey, offset: int, number: int = 0) -> Record:
    place = Partition("calls", number)
    return Record(place, Offset(offset), Milliseconds(0), key.encode(), b"audio")


def told(what: Publication) -> Record:
    out = ENCODER.encode(what, now_ms=1500)
    return Record(
        Partition(out.topic, 0), Offset(0), Milliseconds(0), out.key, out.value, out.headers
    )


def result(key: SessionKey, label: str = "bonafide") -> SessionResult:
    return SessionResult(
        session=key,
        incarnation=BIRTH,
        stream=StreamNumber(0),
        cid=7,
        pid=31,
        message_id=0,
        result_id="1",
        task="deepfake",
        level=Level.SEGMENT,
        start_ms=0,
        end_ms=2000,
        final_label=label,
        predictions=(Prediction(label, 0.75), Prediction("other", 0.25)),
        embedding=None,
        offsets=(Offset(0), Offset(1)),
        captured_at=Milliseconds(1000),
    )


def started(key: SessionKey) -> SessionStarted:
    return SessionStarted(key, BIRTH, Hertz(8000), LevelChoice.ALL, Milliseconds(0))


def ended(key: SessionKey, results: int = 1, pids: tuple[int, ...] = (30, 31)) -> SessionEnded:
    counts = SessionSummary(2500, 2000, 0, 2, results, 1, 0, 0, 0, {"bonafide": results}, pids)
    return SessionEnded(key, BIRTH, EndReason.MARKED, Milliseconds(0), counts)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger("calls", "results", "sessions", {ANN: Entry(), BEN: Entry()})


def part(key: SessionKey, *, speaks: bool = True) -> Part:
    guise = Guise(name="plain", format=AudioFormat(), chunk_bytes=100)
    return Part(Call(key=key, guise=guise, data=bytes(32_000)), b"", speaks)


def test_results_and_events_are_news(ledger: Ledger) -> None:
    """What the consumer says is handed on with its session; audio and strangers are not."""
    news = ledger.note(
        [sent(ANN, 0), told(started(ANN)), told(result(ANN)), told(result(SessionKey("zoe")))]
    )
    assert [(key, type(what).__name__) for key, what in news] == [
        (ANN, "StartedShape"),
        (ANN, "ResultShape"),
    ]
    assert ledger.entries[ANN].started
    assert ledger.entries[ANN].labels == {"bonafide": 1}
    assert ledger.entries[ANN].pids == (31,)


def test_calls_are_over_when_all_have_ended(ledger: Ledger) -> None:
    """Over means ended; complete means that all results were read too."""
    ledger.note([told(ended(ANN)), told(result(ANN))])
    assert not ledger.over
    ledger.note([told(ended(BEN))])
    assert ledger.over
    assert not ledger.complete
    ledger.note([told(result(BEN))])
    assert ledger.complete
    assert ledger.entries[ANN].pids == (30, 31)


def test_committed_means_all_partitions_to_their_end(ledger: Ledger) -> None:
    """Offsets of records that were seen are held against the group's."""
    ledger.note([sent(ANN, 0), sent(BEN, 1), sent(ANN, 2), sent(BEN, 0, number=1)])
    other = Partition("calls", 1)
    behind: Mapping[Partition, Offset | None] = {PLACE: Offset(2), other: None}
    assert not ledger.committed(behind)
    assert ledger.entries[ANN].settled(behind) == 1
    assert ledger.entries[BEN].settled(behind) == 1
    assert ledger.committed({PLACE: Offset(3), other: Offset(1)})


def test_unreadable_results_are_told(ledger: Ledger) -> None:
    """A result that breaks its schema fails the demo instead of being passed over."""
    broken = Record(Partition("results", 0), Offset(0), Milliseconds(0), b"ann", b"{")
    with pytest.raises(RecordError):
        ledger.note([broken])


def outcome(
    ledger: Ledger, *, settled: int = 1, heard: bool = True, speaks: bool = True
) -> Outcome:
    return Outcome(part(ANN, speaks=speaks), ledger.entries[ANN], settled, heard)


def test_good_call_has_no_failures(ledger: Ledger) -> None:
    """Ended, with results, heard byte for byte, settled: nothing to say."""
    ledger.note([sent(ANN, 0), told(result(ANN)), told(ended(ANN))])
    assert list(outcome(ledger).failures) == []


def test_every_failure_is_told(ledger: Ledger) -> None:
    """Each thing that is not as it must be is told by itself."""
    assert list(outcome(ledger, settled=0, heard=False).failures) == [
        "ann: did not end",
        "ann: has speech and no result",
        "ann: the API did not receive what was sent",
        "ann: 0 of 0 records are settled and committed",
    ]
    ledger.note([sent(ANN, 0), told(result(ANN)), told(ended(ANN, results=2))])
    assert list(outcome(ledger, settled=0, speaks=False).failures) == [
        "ann: 1 of 2 results were read",
        "ann: has results and no speech",
        "ann: 0 of 1 records are settled and committed",
    ]


def printed(show: PlainShow | LiveShow, out: io.StringIO, ledger: Ledger) -> str:
    with show:
        show.say("begin")
        show.tell(ledger.note([told(started(ANN)), told(result(ANN)), told(ended(ANN))]), ledger)
    return out.getvalue()


def test_plain_show_prints_lines(ledger: Ledger) -> None:
    """Without a terminal everything is a line of its own, without control codes."""
    out = io.StringIO()
    lines = printed(PlainShow(Console(file=out, width=60)), out, ledger).splitlines()
    assert lines[0] == "begin"
    assert lines[1].split() == ["ann", "started", "at", "8000", "Hz"]
    assert "0.00 -   2.00 s  segment    bonafide 0.750  after 0.5 s" in lines[2]
    assert lines[3].endswith("ended, marked, after 2.50 s")
    assert len(lines) == 4


def test_live_show_draws_a_table(ledger: Ledger) -> None:
    """On a terminal there is a table with the state of every call, and the latest lines."""
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system=None)
    ledger.entries[ANN].sent_seconds = 0.5
    text = printed(LiveShow(console, [part(ANN), part(BEN)]), out, ledger)
    for word in ("begin", "guise", "ann", "ben", "1 bonafide", "ended", "waiting", "after 2.50 s"):
        assert word in text


def test_summary_has_a_row_per_call(ledger: Ledger) -> None:
    """The table at the end shows audio, speech, results, labels, settled records and bytes."""
    ledger.note([sent(ANN, 0), told(result(ANN)), told(ended(ANN))])
    out = io.StringIO()
    rows = [outcome(ledger), Outcome(part(BEN), ledger.entries[BEN], 0, heard=False)]
    Console(file=out, width=120).print(summary(rows))
    ann = next(row for row in out.getvalue().splitlines() if "ann" in row)
    ben = next(row for row in out.getvalue().splitlines() if "ben" in row)
    cells = [cell.strip() for cell in ann.strip("│").split("│")]
    assert cells == ["ann", "plain", "1.00", "2.00", "1", "1 bonafide", "1/1", "match"]
    assert "DIFFER" in ben


def test_findings_without_numbers_have_a_line() -> None:
    """A result whose label has no probability is shown all the same."""
    bare = replace(result(ANN), predictions=())
    (news,) = Ledger("calls", "results", "sessions", {ANN: Entry()}).note([told(bare)])
    assert "bonafide 0.000" in line(news[1])
