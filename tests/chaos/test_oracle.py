"""The oracle is content with what is right, and complains of everything else by its name."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import pytest

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import Commit, Crash, Facts, Letter, Origin, Piece, Promise, Result
from tests.chaos.oracle.hearing import pieces
from tests.chaos.oracle.results import result_id
from tests.chaos.oracle.spans import Span, holes, length, union
from tests.chaos.oracle.verdict import complaints
from tests.chaos.sound.mark import BLOCK
from tests.chaos.sound.speech import RATE
from tests.chaos.specimen import TOPIC, good

Spoil = Callable[[Facts], Facts]


def test_oracle_knows_nothing_of_the_service() -> None:
    """All of it can be imported where there is no `consumer`."""
    code = (
        "import sys; sys.modules['consumer'] = None; import pkgutil, importlib, tests.chaos.oracle "
        "as o; names = [m.name for m in pkgutil.iter_modules(o.__path__)]; "
        "[importlib.import_module(f'{o.__name__}.{name}') for name in names]; "
        "assert not [n for n in sys.modules if n.startswith('consumer.')]; print(len(names))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 8


def test_good_run_is_good() -> None:
    """Nothing to complain of, exactly once or at least once."""
    assert complaints(good()) == []
    assert complaints(replace(good(), promise=Promise(exactly_once=False))) == []


def _changed(facts: Facts, number: int, **changes: object) -> Facts:
    """One result is another, with the right id."""
    results = list(facts.results)
    result = replace(results[number], **changes)  # type: ignore[arg-type]
    results[number] = replace(result, id=result_id(TOPIC, result))
    return replace(facts, results=results)


def _without(facts: Facts, wanted: Callable[[Result], bool]) -> Facts:
    return replace(facts, results=[one for one in facts.results if wanted(one)])


def _last(facts: Facts) -> Result:
    return max(facts.results, key=lambda one: one.place)


def _again(facts: Facts, number: int, ms: int = 0) -> Facts:
    """A result comes once more, behind all others."""
    again = facts.results[number]
    again = replace(again, place=len(facts.results), written_ms=again.written_ms + ms)
    return replace(facts, results=[*facts.results, again])


def _stream(facts: Facts, number: int, **changes: object) -> Facts:
    streams = list(facts.streams)
    streams[number] = replace(streams[number], **changes)  # type: ignore[arg-type]
    return replace(facts, streams=streams)


def _event(facts: Facts, number: int, **changes: object) -> Facts:
    events = list(facts.events)
    events[number] = replace(events[number], **changes)  # type: ignore[arg-type]
    return replace(facts, events=events)


def _swapped(facts: Facts) -> Facts:
    """The first two results change places."""
    one, two = facts.results[0].place, facts.results[1].place
    swapped = [replace(facts.results[0], place=two), replace(facts.results[1], place=one)]
    return replace(facts, results=[*swapped, *facts.results[2:]])


def _calls_swapped(facts: Facts) -> Facts:
    """The second call's results stand before the first's."""
    far = len(facts.results)
    return replace(
        facts,
        results=[
            replace(one, place=one.place + (far if one.origin.offset == 0 else 0))
            for one in facts.results
        ],
    )


SEGMENT, UTTERANCE = 0, next(n for n, one in enumerate(good().results) if one.level == "utterance")


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda good: _stream(good, 0, rate=None), "config"),
        (lambda good: _stream(good, 0, rate=16_000), "config"),
        (lambda good: _stream(good, 0, status="INVALID_ARGUMENT", detail="config"), "config"),
        (lambda good: _stream(good, 2, pieces=[Piece(None, 0, 800)]), "foreign"),
        (lambda good: _stream(good, 2, pieces=[Piece(0, 0, RATE), Piece(1, 0, RATE)]), "foreign"),
        (lambda good: _stream(good, 2, pieces=[Piece(1, 1, 30 * RATE)]), "unheard"),
        (lambda good: _stream(good, 2, pieces=[Piece(1, 0, 30 * RATE - 1)]), "unheard"),
        (lambda good: _stream(good, 2, half_closed=False), "unjudged"),
        (lambda good: _stream(good, 1, status="CANCELLED"), "unjudged"),
        (lambda good: _without(good, lambda one: one.level == "segment"), "missing"),
        (lambda good: _without(good, lambda one: one is not _last(good)), "missing"),
        (lambda good: _without(good, lambda one: one.place > 0), "missing"),
        (lambda good: _changed(good, SEGMENT, start=good.results[0].start - 0.1), "mistimed"),
        (lambda good: _changed(good, UTTERANCE, end=good.results[UTTERANCE].end - 1), "mistimed"),
        (lambda good: _changed(good, UTTERANCE, pid=12), "mistimed"),
        (lambda good: _stream(good, 0, status="OK", half_closed=True), "cut"),
        (_swapped, "disorder"),
        (_calls_swapped, "disorder"),
        (lambda good: _again(good, SEGMENT), "repeated"),
        (lambda good: _again(good, UTTERANCE), "repeated"),
        (lambda good: replace(good, events=[*good.events, good.events[0]]), "repeated"),
        (lambda good: replace(good, letters=[*good.letters, good.letters[3]]), "repeated"),
        (lambda good: _event(good, 0, origin=Origin(0, 2)), "resumed"),
        (lambda good: replace(good, events=good.events[1:]), "events"),
        (lambda good: replace(good, events=[good.events[0], *good.events[2:]]), "events"),
        (lambda good: _event(good, 1, reason="idle"), "events"),
        (lambda good: _event(good, 1, audio_ms=39_500), "events"),
        (lambda good: _event(good, 1, results=3), "events"),
        (lambda good: _event(good, 0, resumed=True), "events"),
        (lambda good: replace(good, letters=good.letters[1:]), "letters"),
        (lambda good: replace(good, letters=[*good.letters, Letter(0, 5, "late", 5)]), "letters"),
        (lambda good: replace(good, commits=[Commit(1000, {0: 5})]), "early"),
        (lambda good: replace(good, commits=[Commit(29_999, {0: 82})]), "early"),
        (lambda good: replace(good, commits=[Commit(39_999, {0: 81})]), "early"),
        (lambda good: replace(good, commits=[Commit(3_000, {1: 5})]), "early"),
        (lambda good: replace(good, commits=[*good.commits, Commit(100_001, {0: 9})]), "rewound"),
        (lambda good: _changed(good, SEGMENT, partition=1), "contract"),
        (lambda good: _changed(good, SEGMENT, session="b"), "contract"),
        (lambda good: _changed(good, SEGMENT, origin=Origin(0, 999)), "contract"),
        (lambda good: replace(good, results=[replace(good.results[0], id="0")]), "contract"),
        (lambda good: replace(good, lag=3), "lag"),
        (lambda good: replace(good, deaths=["first-0 has died"]), "replica"),
    ],
)
def test_everything_else_is_told(spoil: Spoil, rule: str) -> None:
    """Each of these is complained of by its rule."""
    assert rule in {one.rule for one in complaints(spoil(good()))}


def test_repeats_are_allowed_after_a_crash_only() -> None:
    """And only at least once."""
    facts = replace(_again(good(), UTTERANCE, ms=9_000), promise=Promise(exactly_once=False))
    first = facts.results[UTTERANCE].written_ms
    crashed = replace(facts, crashes=[Crash(first + 1_000, first + 4_000)])
    assert complaints(crashed) == []
    for crashes in ([], [Crash(first + 60_000, first + 61_000)]):
        assert [one.rule for one in complaints(replace(facts, crashes=crashes))] == ["repeated"]
    exactly = replace(crashed, promise=Promise(exactly_once=True))
    assert {one.rule for one in complaints(exactly)} == {"repeated", "events"}


CALLS = {
    number: Call(number=number, key=f"k{number}", partition=0, programme=number, seconds=30)
    for number in (0, 1)
}


def _heard(*stretches: tuple[int, int, int]) -> bytes:
    return b"".join(CALLS[call].audio(start, end) for call, start, end in stretches)


@pytest.mark.parametrize(
    "stretches",
    [
        [(0, 0, 8_000)],
        [(1, 12_345, 99_999)],
        [(0, 0, 8_000), (0, 8_160, 16_000)],  # a gap
        [(0, 0, 8_000), (0, 4_000, 16_000)],  # again
        [(0, 0, 8_000), (1, 8_000, 16_000)],  # another call's
    ],
)
def test_audio_is_found(stretches: list[tuple[int, int, int]]) -> None:
    """Where a stream's audio comes from, whatever was done to it.

    A stretch may seem to go on for some samples when those of the next one are the same by chance.
    """
    found = pieces(_heard(*stretches), CALLS)
    assert [piece.call for piece in found] == [call for call, _, _ in stretches]
    assert found[-1].end == stretches[-1][2]
    for piece, (_, start, end) in zip(found, stretches, strict=True):
        assert 0 <= piece.start - start < BLOCK
        assert 0 <= piece.end - end < BLOCK


def test_strange_audio_is_no_calls() -> None:
    """Zeros, a lost byte, an odd byte at the end, and a wrong sample."""
    good = _heard((0, 800, 8_000))
    wrong = bytearray(good)
    wrong[5_000] ^= 0x40
    assert pieces(b"\0" * 2_000, CALLS)[0].call is None
    assert None in {piece.call for piece in pieces(good[1:], CALLS)}
    assert [key for key, _ in groupby(piece.call for piece in pieces(good[:-1], CALLS))] == [
        0,
        None,
    ]
    assert None in {piece.call for piece in pieces(bytes(wrong), CALLS)}
    assert pieces(b"", CALLS) == []


def test_spans() -> None:
    """What lies in any of them, and what in none."""
    spans = [Span(5, 9), Span(0, 2), Span(1, 3), Span(9, 10), Span(4, 4)]
    assert union(spans) == [Span(0, 3), Span(5, 10)]
    assert holes(Span(0, 12), spans) == [Span(3, 5), Span(10, 12)]
    assert holes(Span(1, 9), spans, slack=2) == []
    assert holes(Span(0, 4), []) == [Span(0, 4)]
    assert length(spans) == 9


def test_what_the_api_broke_off_may_come_in_two() -> None:
    """An early OK closes an utterance in its middle; the next stream tells of the rest."""
    facts = good()
    utterance = facts.results[UTTERANCE]
    middle = utterance.start + 1.5
    halves = [replace(utterance, end=middle), replace(utterance, start=middle, pid=11)]
    parts = [replace(one, id=result_id(TOPIC, one)) for one in halves]
    results = [*facts.results[:UTTERANCE], *parts, *facts.results[UTTERANCE + 1 :]]
    heard = round(middle * RATE) + RATE // 2
    streams = [
        replace(facts.streams[0], status="OK", half_closed=False, pieces=[Piece(0, 0, heard)]),
        replace(facts.streams[1], pieces=[Piece(0, int(utterance.start) * RATE, 40 * RATE)]),
        *facts.streams[2:],
    ]
    moved = [
        replace(one, place=place, pid=11 if one.pid == 10 and one.end > middle else one.pid)
        for place, one in enumerate(results)
    ]
    events = [
        replace(facts.events[0]),
        replace(facts.events[1], results=facts.events[1].results + 1),
    ]
    spoiled = replace(
        facts, results=moved, streams=streams, events=[*events, *facts.events[2:]], commits=[]
    )
    assert complaints(spoiled) == []
    ours = replace(spoiled.streams[0], half_closed=True)
    assert complaints(replace(spoiled, streams=[ours, *spoiled.streams[1:]])) != []


def test_an_ok_may_cross_our_half_close() -> None:
    """Who sends OK while the end is on the wire has lost the rest; who sends it before has not."""
    facts = good()
    fed = replace(facts.fed[1], end_ms=25_000)
    spoken = fed.call.spoken
    until = max(one.end for one in spoken[:2])
    heard = [Piece(1, 0, until * RATE)]
    kept = [one for one in facts.results if one.pid != 12 or one.end <= until]
    events = [*facts.events[:3], replace(facts.events[3], results=sum(o.pid == 12 for o in kept))]
    broken = replace(
        _stream(facts, 2, half_closed=False, pieces=heard, faults=["ok"]),
        fed=[facts.fed[0], fed, facts.fed[2]],
        results=kept,
        events=[*events, *facts.events[4:]],
    )
    assert complaints(broken) == []
    early = replace(broken, fed=[facts.fed[0], replace(fed, end_ms=30_001), facts.fed[2]])
    assert {one.rule for one in complaints(early)} == {"unheard", "unjudged", "early", "missing"}
