"""The end of the demo: what each call came to, and whether that is as it must be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from consumer.demo.cast import Part
from consumer.demo.ledger import Entry


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call. settled: its records below the committed offset; heard: byte for byte."""

    part: Part
    entry: Entry
    settled: int
    heard: bool

    @property
    def failures(self) -> Iterator[str]:
        """What is not as it must be."""
        key, entry = self.part.call.key, self.entry
        if entry.ended is None:
            yield f"{key}: did not end"
        elif len(entry.results) < entry.ended.summary.results:
            yield f"{key}: {len(entry.results)} of {entry.ended.summary.results} results were read"
        if self.part.speaks and not entry.results:
            yield f"{key}: has speech and no result"
        if not self.part.speaks and entry.results:
            yield f"{key}: has results and no speech"
        if not self.heard:
            yield f"{key}: the API did not receive what was sent"
        if not entry.places or self.settled < len(entry.places):
            yield f"{key}: {self.settled} of {len(entry.places)} records are settled and committed"


def summary(outcomes: Sequence[Outcome]) -> Table:
    """A row per call."""
    table = Table(title="What came of each call")
    for name in ("call", "guise"):
        table.add_column(name, no_wrap=True)
    for name in ("audio s", "speech s", "results"):
        table.add_column(name, justify="right")
    table.add_column("labels")
    table.add_column("settled", justify="right")
    table.add_column("bytes")
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    return table


def _cells(outcome: Outcome) -> Iterator[str]:
    part, entry = outcome.part, outcome.entry
    judged = f"{entry.ended.summary.judged_ms / 1000:.2f}" if entry.ended else "?"
    yield part.call.key
    yield part.call.guise.name
    yield f"{part.call.seconds:.2f}"
    yield judged
    yield str(len(entry.results))
    yield ", ".join(f"{count} {label}" for label, count in entry.labels.items()) or "-"
    yield f"{outcome.settled}/{len(entry.places)}"
    yield "match" if outcome.heard else "DIFFER"
