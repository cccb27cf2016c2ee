"""All rules together."""

from collections.abc import Iterator

from tests.chaos.oracle import audio, order, results, sessions, streams
from tests.chaos.oracle.case import sort
from tests.chaos.oracle.facts import Complaint, Facts


def complaints(facts: Facts) -> list[Complaint]:
    """What was promised and not kept; empty when all is well."""
    return [*_all(facts)]


def _all(facts: Facts) -> Iterator[Complaint]:
    if facts.lag:
        yield Complaint("lag", f"{facts.lag} records are not committed")
    for death in facts.deaths:
        yield Complaint("replica", death)
    docket = sort(facts)
    for stray in docket.strays:
        yield Complaint("contract", stray)
    for room in (streams, audio, results, order, sessions):
        yield from room.complaints(facts, docket.cases)
