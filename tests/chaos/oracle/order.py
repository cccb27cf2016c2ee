"""Rules for order and repeats: of results within a session, of events and of dead letters."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.oracle.case import Case
from tests.chaos.oracle.facts import Complaint, Crash, Event, Facts, Origin, Result

OVERLAP_SECONDS = 0.010
"""By the contract two results may overlap so much."""

_MARGIN_MS = 15_000
"""A crash shows up to so much later: the session times out, partitions move, audio is heard."""


class Dropped(NamedTuple):
    """A result that a reader drops by the contract's rules, and what it repeats, if anything."""

    result: Result
    repeats: Result | None


def complaints(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """About all that was published."""
    for case in cases.values():
        ordered = sorted((one.result for one in case.findings), key=lambda one: one.place)
        for result, earlier in dropped(ordered):
            what = f"{case.name}: {result.level} {result.start} to {result.end} s"
            if earlier is None:
                yield Complaint("disorder", f"{what} comes after what is later in the call")
            elif not _allowed(facts, earlier.written_ms, result.written_ms):
                yield Complaint("repeated", f"{what} repeats {earlier.start} to {earlier.end} s")
        yield from _events(facts, case)
        yield from _letters(facts, case)
    yield from _successive(facts, cases)


def dropped(results: list[Result]) -> list[Dropped]:
    """What a reader drops of a call's results, which are in the order of the topic."""
    drops: list[Dropped] = []
    kept: dict[tuple[Origin, str, str], list[Result]] = {}
    for result in results:
        before = kept.setdefault((result.origin, result.level, result.task), [])
        if before and result.start < before[-1].end - OVERLAP_SECONDS:
            drops.append(Dropped(result, _repeated(before, result)))
        else:
            before.append(result)
    return drops


def _repeated(before: list[Result], result: Result) -> Result | None:
    for earlier in before:
        apart = (
            earlier.end - OVERLAP_SECONDS <= result.start
            or result.end <= earlier.start + OVERLAP_SECONDS
        )
        if not apart:
            return earlier
    return None


def _allowed(facts: Facts, first_ms: int, again_ms: int) -> bool:
    """At least once, something may come again after a crash, and only then."""
    return not facts.promise.exactly_once and any(
        _between(crash, first_ms, again_ms) for crash in facts.crashes
    )


def _between(crash: Crash, first_ms: int, again_ms: int) -> bool:
    return first_ms - _MARGIN_MS <= crash.over_ms and crash.begun_ms <= again_ms + 1


def _events(facts: Facts, case: Case) -> Iterator[Complaint]:
    seen: dict[str, Event] = {}
    for event in case.events:
        first = seen.get(event.id)
        if first is None:
            seen[event.id] = event
        elif not _allowed(facts, first.written_ms, event.written_ms):
            yield Complaint("repeated", f"{case.name}: it {event.kind} twice")


def _letters(facts: Facts, case: Case) -> Iterator[Complaint]:
    for offset, letters in case.letters.items():
        for first, again in pairwise(letters):
            if not _allowed(facts, first.written_ms, again.written_ms):
                yield Complaint("repeated", f"{case.name}: {offset} is a dead letter twice")


def _successive(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """Results of calls on one key come in the order of the calls."""
    by_key: dict[str, list[Case]] = {}
    for case in cases.values():
        by_key.setdefault(case.call.key, []).append(case)
    for group in by_key.values():
        for case, later in pairwise(group):
            begun = min((one.result.place for one in later.findings), default=None)
            late = [one.result for one in case.findings if begun and one.result.place > begun]
            ids = {one.result.id for one in case.findings if one.result not in late}
            if any(result.id not in ids for result in late):
                yield Complaint("disorder", f"{case.name}: results come after the next call's")
