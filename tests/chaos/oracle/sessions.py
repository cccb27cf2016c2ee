"""Rules for sessions: one incarnation a call, told to start and end; dead letters of poison."""

from collections.abc import Iterator, Mapping

from tests.chaos.oracle.case import Case
from tests.chaos.oracle.facts import Complaint, Facts, Origin
from tests.chaos.sound.speech import RATE

_FATAL = frozenset({"refused", "poisoned"})
"""Reasons that a dead letter of a poisoned call may have."""
_ROUNDED_MS = 2


def complaints(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """About the events and the dead letters of every call."""
    for case in cases.values():
        yield from _begun(case)
        yield from _told(case)
        yield from _summed_up(facts, case)
        yield from _dead(case)


def _begun(case: Case) -> Iterator[Complaint]:
    """A call has one life, from its first record on."""
    first = Origin(case.call.partition, case.fed.places[0].offset)
    others = _origins(case) - {first}
    if others:
        yield Complaint("resumed", f"{case.name} began anew at offsets {_offsets(others)}")
    for event in case.events:
        if event.kind == "started" and event.resumed and event.origin == first:
            yield Complaint("events", f"{case.name} is said to be resumed at its start")


def _told(case: Case) -> Iterator[Complaint]:
    """Every life starts, the last one ends by its mark, and nothing speaks before its start."""
    started = {event.origin for event in case.events if event.kind == "started"}
    ended = [event for event in case.events if event.kind == "ended"]
    silent = _origins(case) - started
    if silent or not started:
        yield Complaint("events", f"{case.name}: its start is not told ({_offsets(silent)})")
    if case.fed.end is not None and not ended:
        yield Complaint("events", f"{case.name}: its end is not told")
    for event in ended:
        if event.reason != "marked":
            yield Complaint("events", f"{case.name} ended as {event.reason}")


def _summed_up(facts: Facts, case: Case) -> Iterator[Complaint]:
    """A summary tells of all audio and all results of that life."""
    if case.call.poisoned:
        return
    for event in (one for one in case.events if one.kind == "ended"):
        places = {place.offset: place.start for place in case.fed.places}
        length = (case.fed.frames - places.get(event.origin.offset, case.fed.frames)) / RATE
        if abs(event.audio_ms - 1000 * length) > _ROUNDED_MS:
            yield Complaint("events", f"{case.name}: its end tells of {event.audio_ms} ms")
        results = [one for one in case.findings if one.result.origin == event.origin]
        if facts.promise.exactly_once and event.results != len(results):
            text = f"its end tells of {event.results} results, not of {len(results)}"
            yield Complaint("events", f"{case.name}: {text}")


def _dead(case: Case) -> Iterator[Complaint]:
    """All records of a poisoned call, and no others, are dead letters."""
    reasons = {letter.reason for letters in case.letters.values() for letter in letters}
    if not case.call.poisoned:
        if reasons:
            yield Complaint("letters", f"{case.name}: {len(case.letters)} dead letters: {reasons}")
        return
    if reasons - _FATAL:
        yield Complaint("letters", f"{case.name}: dead letters for {reasons - _FATAL}")
    alive = [place.offset for place in case.fed.places if place.offset not in case.letters]
    if alive:
        yield Complaint("letters", f"{case.name} is poisoned; no dead letters of {alive}")


def _origins(case: Case) -> set[Origin]:
    results = {one.result.origin for one in case.findings}
    return results | {event.origin for event in case.events}


def _offsets(origins: set[Origin]) -> list[int]:
    return sorted(origin.offset for origin in origins)
