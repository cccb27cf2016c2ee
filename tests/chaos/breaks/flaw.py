"""What a break is: a change of the consumer, the scene that shows it, and the complaint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.breaks.scene import Scene
from tests.chaos.oracle.facts import Complaint, Rule
from tests.mutants.mutant import Mutant
from tests.mutants.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Change:
    """In one file; the original text must be there once."""

    file: str
    original: str
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """rule: by which the oracle must complain."""

    name: str
    changes: tuple[Change, ...]
    scene: Scene
    rule: Rule
    exactly_once: bool = False

    def mutants(self) -> Sequence[Mutant]:
        """The changes as the mutation tests know them."""
        return [
            Mutant(
                name=self.name,
                file=change.file,
                original=change.original,
                replacement=change.replacement,
                breaks=self.rule,
                tests=(),
            )
            for change in self.changes
        ]

    def build(self, place: Path) -> Path:
        """A copy of the tree with the changes. Raises Stale when one doesn't fit."""
        workshop = Workshop(place)
        for mutant in self.mutants():  # one after the other, as several may be in one file
            (place / mutant.file).write_text(mutant.applied(place))
        assert workshop.imports_itself(), "the copy would run the original"
        return place

    def caught(self, complaints: Sequence[Complaint]) -> bool:
        """The oracle has noticed what it should."""
        return any(one.rule == self.rule for one in complaints)
