"""Hand-made facts of a small run in which every promise was kept, for tests of the oracle.

Key `a` has two calls one after the other; the first one's connection broke once. Key `p` is
poisoned. Offsets go call by call, and times are milliseconds from the run's start.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import count

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import (
    Commit,
    Event,
    Facts,
    Fed,
    Letter,
    Origin,
    Piece,
    Place,
    Promise,
    Result,
    Stream,
)
from tests.chaos.oracle.results import result_id
from tests.chaos.sound.speech import RATE, Spoken

TOPIC = "calls"
BREAK_SECONDS = 20
"""Of the first call's audio; its connection breaks there."""

_OVER_MS = 100_000


@cache
def good() -> Facts:
    """All is well."""
    first = _fed(Call(number=0, key="a", partition=0, programme=0, seconds=40), 0)
    second = _fed(Call(number=1, key="a", partition=0, programme=1, seconds=30), 81)
    poisoned = _fed(Call(number=2, key="p", partition=1, programme=2, seconds=10, poisoned=True), 0)
    judged = _judged(first.call)
    results = [
        *_results(first, 10, [one for one in first.call.spoken if one.end <= judged]),
        *_results(first, 11, [one for one in first.call.spoken if one.start >= judged]),
        *_results(second, 12, list(second.call.spoken)),
    ]
    return Facts(
        promise=Promise(exactly_once=True),
        topic=TOPIC,
        fed=[first, second, poisoned],
        streams=[
            _stream(10, 0, 0, BREAK_SECONDS, "CANCELLED"),
            _stream(11, 0, judged, 40, "OK"),
            _stream(12, 1, 0, 30, "OK"),
            replace(
                _stream(13, 2, 0, 1, "INVALID_ARGUMENT"), rate=11_025, faults=["poison"], pieces=()
            ),
        ],
        results=[replace(one, place=place) for place, one in enumerate(results)],
        events=[*_events(first, results), *_events(second, results), *_events(poisoned, results)],
        letters=[
            Letter(1, place.offset, "refused", 1000 * place.offset) for place in poisoned.places
        ],
        commits=[
            Commit(1000 * judged, {0: 2 * judged}),
            Commit(_OVER_MS, {0: (second.end or 0) + 1, 1: (poisoned.end or 0) + 1}),
        ],
        crashes=[],
        lag=0,
    )


def _judged(call: Call) -> int:
    """The end of the last utterance before the break."""
    return max(one.end for one in call.spoken if one.end < BREAK_SECONDS)


def _fed(call: Call, first: int) -> Fed:
    places = [
        Place(first + number, number * call.chunk_frames, call.chunk_frames)
        for number in range(call.chunks)
    ]
    return Fed(call, places, first + call.chunks, 1000 * call.seconds)


def _stream(pid: int, call: int, start: int, end: int, status: str) -> Stream:
    return Stream(
        pid=pid,
        rate=RATE,
        status=status,
        detail="",
        half_closed=status == "OK",
        faults=[],
        opened_ms=1000 * start,
        ended_ms=1000 * end,
        pieces=[Piece(call, start * RATE, end * RATE)],
    )


def _results(fed: Fed, pid: int, spoken: list[Spoken]) -> Iterator[Result]:
    for one in spoken:
        for start in range(one.start, one.end, 2):
            yield _result(fed, pid, "segment", Spoken(start, min(start + 2, one.end)))
        yield _result(fed, pid, "utterance", one)


def _result(fed: Fed, pid: int, level: str, span: Spoken) -> Result:
    result = Result(
        id="",
        session=fed.call.key,
        origin=Origin(fed.call.partition, fed.places[0].offset),
        partition=fed.call.partition,
        place=0,
        written_ms=1000 * span.end,
        task="deepfake",
        level=level,
        start=float(span.start),
        end=float(span.end),
        pid=pid,
    )
    return replace(result, id=result_id(TOPIC, result))


def _events(fed: Fed, results: list[Result]) -> Iterator[Event]:
    call, origin = fed.call, Origin(fed.call.partition, fed.places[0].offset)
    numbers = count()
    for kind, ms in (("started", 0), ("ended", 1000 * call.seconds)):
        yield Event(
            id=f"{call.number}-{next(numbers)}",
            session=call.key,
            origin=origin,
            partition=call.partition,
            written_ms=ms,
            kind=kind,
            resumed=False,
            reason="marked" if kind == "ended" else "",
            audio_ms=1000 * call.seconds if kind == "ended" else 0,
            results=sum(one.origin == origin for one in results) if kind == "ended" else 0,
        )
