"""Rules for audio and offsets: all was heard and judged, and nothing committed before that."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from tests.chaos.oracle.case import Case
from tests.chaos.oracle.facts import Complaint, Facts
from tests.chaos.oracle.spans import Span, holes
from tests.chaos.sound.speech import RATE

_SLACK_FRAMES = RATE // 1000
"""Times on the topic are whole milliseconds."""


def complaints(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """About every call."""
    for case in cases.values():
        if not case.call.poisoned:
            yield from _heard(case)
        settled = [one.span for one in case.settled()]
        for hole in holes(case.whole, settled, _SLACK_FRAMES):
            yield Complaint("unjudged", f"{case.name}: {_seconds(hole)} were not judged")
        yield from _early(facts, case)
    yield from _rewound(facts)


def _heard(case: Case) -> Iterator[Complaint]:
    heard = [*case.heard(), *(one.span for one in case.crossed())]
    for hole in holes(case.whole, heard):
        yield Complaint("unheard", f"{case.name}: {_seconds(hole)} never reached the API")


def _early(facts: Facts, case: Case) -> Iterator[Complaint]:
    """At each moment, what was committed until then had been settled until then."""
    settled = sorted(case.settled(), key=lambda one: one.since_ms)
    places, checked = case.fed.places, 0
    offsets = [place.offset for place in places]
    for commit in facts.commits:
        committed = commit.offsets.get(case.call.partition, 0)
        below = bisect_left(offsets, committed)
        if below > checked:
            last = places[below - 1]
            fresh = Span(places[checked].start, last.start + last.frames)
            until = [one.span for one in settled if one.since_ms <= commit.at_ms]
            for hole in holes(fresh, until, _SLACK_FRAMES):
                text = f"{case.name}: {_seconds(hole)} were committed ({committed}), not settled"
                yield Complaint("early", text)
            checked = below
        if case.fed.end is not None and committed > case.fed.end:
            yield from _ended(case, commit.at_ms)
            return


def _ended(case: Case, at_ms: int) -> Iterator[Complaint]:
    """An end mark is settled by telling of the end."""
    if not any(one.kind == "ended" and one.written_ms <= at_ms for one in case.events):
        yield Complaint("early", f"{case.name}: its end mark was committed before its end was told")


def _rewound(facts: Facts) -> Iterator[Complaint]:
    """Whoever commits goes on where the one before has stopped."""
    highest: dict[int, int] = {}
    for commit in facts.commits:
        for partition, offset in commit.offsets.items():
            before = highest.get(partition, 0)
            if offset < before:
                yield Complaint("rewound", f"partition {partition} from {before} to {offset}")
            highest[partition] = max(before, offset)


def _seconds(span: Span) -> str:
    return f"{span.start / RATE:.3f} to {span.end / RATE:.3f} s"
