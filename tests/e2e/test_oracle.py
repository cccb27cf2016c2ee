"""The oracle complains of what it is there to find; it needs no broker for that."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.calls import Call, readings
from tests.e2e.evidence import Stream
from tests.e2e.feeder import Sent
from tests.e2e.oracle import Findings, complaints, result_id
from tests.e2e.stage import NAMES
from tests.e2e.topics import Event, Origin, Result

RATE = 16_000
ORIGIN = Origin(0, 0)
CONFIG = {"sample_rate_hertz": RATE}

Spoil = Callable[[Findings], Findings]


@pytest.fixture
def good(tmp_path: Path) -> Findings:
    """A call of 15 s whose first stream was cut at 9 s, and judged up to 5 s."""
    [call] = readings(1)
    sent = Sent(call)
    for offset in range(call.chunks):
        sent.note(0, offset)
    sent.note_end(0, call.chunks)
    broken = _stream(tmp_path, 1, call, 0, 9, status="CANCELLED", half_closed=False)
    whole = _stream(tmp_path, 2, call, 5, call.frames / RATE)
    results = (_result(call, 1, 0, 5), _result(call, 2, 7, 10), _result(call, 2, 11, 14))
    end = {"audio_ms": round(call.frames / 16), "results": len(results)}
    events = (_event(call, "started"), _event(call, "ended", end))
    return Findings(
        names=NAMES,
        sent={call.key: sent},
        streams=(broken, replace(whole, results=2)),
        results=results,
        events=events,
        lag=0,
    )


def _without(good: Findings, *, results: int | None = None, streams: int | None = None) -> Findings:
    kept = [each for n, each in enumerate(good.results) if n != results]
    if streams is not None:
        kept = [each for each in kept if each.pid != good.streams[streams].pid]
    left = [each for n, each in enumerate(good.streams) if n != streams]
    return replace(good, results=kept, streams=left)


def _changed(good: Findings, number: int, **changes: object) -> Findings:
    results = list(good.results)
    results[number] = replace(results[number], **changes)  # type: ignore[arg-type] # of any field
    return replace(good, results=results)


def _twice(good: Findings) -> Findings:
    return replace(good, results=[*good.results, good.results[0]])


def _foreign(good: Findings) -> Findings:
    path = good.streams[1].path
    path.write_bytes(path.read_bytes()[:-2] + b"\x55\x55")
    return good


def _reconfigured(good: Findings) -> Findings:
    first, second = good.streams
    return replace(good, streams=(first, replace(second, config={"sample_rate_hertz": 8_000})))


def _stream(
    folder: Path,
    pid: int,
    call: Call,
    start: float,
    end: float,
    *,
    status: str = "OK",
    half_closed: bool = True,
) -> Stream:
    path = folder / f"{pid}.pcm"
    path.write_bytes(call.heard[2 * round(start * RATE) : 2 * round(end * RATE)])
    return Stream(pid, CONFIG, status, "", half_closed, 1, (), path)


def _result(call: Call, pid: int, start: int, end: int) -> Result:
    bare = Result(
        id="",
        session=call.key,
        origin=ORIGIN,
        partition=0,
        task="deepfake",
        level="utterance",
        start=start,
        end=end,
        label="bonafide",
        pid=pid,
        offsets=(start * 4, end * 4 - 1),
    )
    return replace(bare, id=result_id(NAMES.input, bare))


def _event(call: Call, kind: str, summary: dict[str, int] | None = None) -> Event:
    return Event(call.key, ORIGIN, 0, kind, resumed=False, reason="marked", summary=summary or {})


def test_nothing_is_wrong(good: Findings) -> None:
    """A call that goes on behind a break where it was judged is as it must be."""
    assert complaints(good) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda good: replace(good, lag=3), "3 records are not committed"),
        (lambda good: _without(good, results=0), "but only 0.000 s were judged"),
        (lambda good: _without(good, streams=1), "only 5.000 of 15.580 s were judged"),
        (_foreign, "that no call has in a row"),
        (lambda good: _changed(good, 1, start=4.0), "overlap or came twice"),
        (lambda good: _changed(good, 1, end=9.9), "is not the contract's"),
        (lambda good: _changed(good, 1, partition=1), "a result is on partition 1"),
        (lambda good: _changed(good, 1, pid=9), "that stream heard none of this call"),
        (lambda good: _changed(good, 1, offsets=(0, 39)), "its first record is not 0"),
        (lambda good: _changed(good, 0, pid=2), "it carried 5.0 to 15.58 s"),
        (lambda good: _without(good, results=2), "stream 2 sent 2 results, not 1"),
        (_twice, "overlap or came twice"),
        (lambda good: replace(good, events=good.events[:1]), "its events are ['started']"),
        (_reconfigured, "was opened at 8000 Hz"),
    ],
)
def test_everything_else_is_told(good: Findings, spoil: Spoil, words: str) -> None:
    """Each of these is complained of, in words that name it."""
    assert words in "\n".join(complaints(spoil(good)))


def _cut_off(good: Findings, tmp_path: Path, heard_from: float) -> Findings:
    """The last result of the second stream got lost with its consumer; a third one came then."""
    cut = replace(_without(good, results=2), restarted=True)
    [sent] = cut.sent.values()
    third = _stream(tmp_path, 3, sent.call, heard_from, sent.call.frames / RATE)
    again = _result(sent.call, 3, 11, 14)
    return replace(cut, streams=[*cut.streams, third], results=[*cut.results, again])


def test_lost_with_its_consumer_and_found_again(good: Findings, tmp_path: Path) -> None:
    """It is enough that the next one hears everything again that was not judged."""
    assert complaints(_cut_off(good, tmp_path, 10.0)) == []


def test_lost_with_its_consumer_for_good(good: Findings, tmp_path: Path) -> None:
    """It is too little if the next one begins where the lost one had ended."""
    assert "stream 2 sent 2 results, not 1" in "\n".join(complaints(_cut_off(good, tmp_path, 11.0)))
