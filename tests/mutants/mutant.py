"""What a mutant is: one change of one file that breaks one promise."""

from dataclasses import dataclass
from pathlib import Path


class Stale(Exception):
    """A mutant does not fit the code any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """file: below the root of the tree. breaks: what is no longer true. tests: must notice."""

    name: str
    file: str
    original: str
    replacement: str
    breaks: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The file's text with the change. Raises Stale unless the original is there once."""
        text = (root / self.file).read_text()
        found = text.count(self.original)
        if found != 1:
            raise Stale(f"{self.name}: the original text is {found} times in {self.file}")
        return text.replace(self.original, self.replacement)
