"""The facts sorted by call, and what they say together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import Event, Facts, Fed, Letter, Origin, Place, Result, Stream
from tests.chaos.oracle.spans import Span
from tests.chaos.sound.speech import RATE


class Stretch(NamedTuple):
    """What a stream carried of a call."""

    stream: Stream
    span: Span


class Finding(NamedTuple):
    """A result, with its span in frames from the start of the call."""

    result: Result
    span: Span


class Settled(NamedTuple):
    """Frames that were settled, and since when (ms since the epoch)."""

    span: Span
    since_ms: int


@dataclass(slots=True)
class Case:
    """One call and all that is known about it. letters: by offset."""

    fed: Fed
    stretches: list[Stretch] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    letters: dict[int, list[Letter]] = field(default_factory=lambda: defaultdict(list))

    @property
    def call(self) -> Call:
        """Which it is."""
        return self.fed.call

    @property
    def whole(self) -> Span:
        """All of its audio."""
        return Span(0, self.fed.frames)

    @property
    def name(self) -> str:
        """For people."""
        return f"call {self.call.number} ({self.call.key})"

    def heard(self) -> list[Span]:
        """What reached the API."""
        return [stretch.span for stretch in self.stretches]

    def crossed(self) -> Iterator[Settled]:
        """What is lost to an OK that crossed our half-close on its way.

        A server that ends a stream early, while all the rest and our half-close are on the wire,
        looks to every client of gRPC like one that has heard it all. Nobody can make up for that,
        so it is no fault of the service; the table counts it.
        """
        last = max(self.stretches, key=lambda one: one.stream.opened_ms, default=None)
        if last is None or self.fed.end is None or last.stream.ended_ms is None:
            return
        if last.stream.broken_off and self.fed.end_ms < last.stream.ended_ms:
            start = last.span.start
            for finding in self.findings:
                if finding.result.pid == last.stream.pid:
                    start = max(start, finding.span.end)
            yield Settled(Span(start, self.fed.frames), last.stream.ended_ms)

    def settled(self) -> Iterator[Settled]:
        """Below the end of a stream's published utterances; all of a stream that ended well; and
        what became dead letters.
        """
        for stream, span in self.stretches:
            if stream.good and stream.ended_ms is not None:
                yield Settled(span, stream.ended_ms)
            for result, found in self.findings:
                if result.pid == stream.pid and result.level == "utterance":
                    judged = Span(span.start, min(found.end, span.end))
                    yield Settled(judged, result.written_ms)
        for place in self.fed.places:
            for letter in self.letters.get(place.offset, ()):
                yield Settled(Span(place.start, place.start + place.frames), letter.written_ms)
        yield from self.crossed()


@dataclass(frozen=True, slots=True)
class Docket:
    """All cases by the number of the call. strays: results and events of no call."""

    cases: Mapping[int, Case]
    strays: Sequence[str]


def sort(facts: Facts) -> Docket:
    """Give every fact to its call."""
    cases = {fed.call.number: Case(fed) for fed in facts.fed}
    records = _records(facts.fed)
    strays: list[str] = []
    for stream in facts.streams:
        for piece in stream.pieces:
            if piece.call in cases:
                cases[piece.call].stretches.append(Stretch(stream, Span(piece.start, piece.end)))
    for result in facts.results:
        found = records.get(result.origin)
        if found is None:
            strays.append(f"a result of {result.session} belongs to {result.origin}")
            continue
        number, place = found
        start, end = (place.start + round(time * RATE) for time in (result.start, result.end))
        cases[number].findings.append(Finding(result, Span(start, end)))
    for event in facts.events:
        found = records.get(event.origin)
        if found is None:
            strays.append(f"an event of {event.session} belongs to {event.origin}")
        else:
            cases[found[0]].events.append(event)
    for letter in facts.letters:
        found = records.get(Origin(letter.partition, letter.offset))
        if found is None:
            strays.append(f"a dead letter of {letter.partition}:{letter.offset}: {letter.reason}")
        else:
            cases[found[0]].letters[letter.offset].append(letter)
    return Docket(cases, strays)


def _records(feds: Sequence[Fed]) -> Mapping[Origin, tuple[int, Place]]:
    """Every record of the input: of which call, and where in it."""
    records: dict[Origin, tuple[int, Place]] = {}
    for fed in feds:
        for place in fed.places:
            records[Origin(fed.call.partition, place.offset)] = (fed.call.number, place)
        if fed.end is not None:
            mark = Place(fed.end, fed.frames, 0)
            records[Origin(fed.call.partition, fed.end)] = (fed.call.number, mark)
    return records
