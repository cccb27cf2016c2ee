"""Plants every mutant in turn and shows which test files noticed; exit code 1 if one survived.

The files are first run as they are, since tests that fail anyway notice nothing.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from tests.mutants.core import CORE
from tests.mutants.delivery import DELIVERY
from tests.mutants.engine import ENGINE
from tests.mutants.mutant import Mutant, Stale
from tests.mutants.workshop import ROOT, Outcome, Workshop

MUTANTS = (*CORE, *ENGINE, *DELIVERY)
_AT_ONCE = 2

Job = TypeVar("Job")


def spread(
    jobs: Iterable[Job], work: Callable[[Workshop, Job], Outcome], workshops: list[Workshop]
) -> Iterator[Outcome]:
    """Do the jobs, one in each workshop at a time; the outcomes come in the jobs' order."""
    free: SimpleQueue[Workshop] = SimpleQueue()
    for workshop in workshops:
        free.put(workshop)

    def one(job: Job) -> Outcome:
        workshop = free.get()
        try:
            return work(workshop, job)
        finally:
            free.put(workshop)

    with ThreadPoolExecutor(len(workshops)) as pool:
        yield from pool.map(one, jobs)


def sound(console: Console, workshops: list[Workshop]) -> bool:
    """All named test files pass on the code as it is, and test the copy."""
    if not all(workshop.imports_itself() for workshop in workshops):
        console.print("The copy's tests would test the original: is PYTHONPATH set?")
        return False
    files = sorted({file for mutant in MUTANTS for file in mutant.tests})
    outcomes = spread(files, lambda workshop, file: workshop.run([file]), workshops)
    failing = [(f, o) for f, o in zip(files, outcomes, strict=True) if not o.passed]
    for file, outcome in failing:
        console.print(f"{file} fails without any mutant:\n{outcome.said}", markup=False)
    return not failing


def report(console: Console, found: list[tuple[Mutant, Outcome]]) -> None:
    """One row for each mutant."""
    table = Table("mutant", "breaks", "tests", "seconds", "outcome")
    for mutant, outcome in found:
        names = "\n".join(Path(file).stem for file in mutant.tests)
        word = "killed" if outcome.noticed else "SURVIVED" if outcome.passed else "UNCLEAR"
        table.add_row(mutant.name, mutant.breaks, names, f"{outcome.seconds:.1f}", word)
    console.print(table)
    for mutant, outcome in found:
        if not outcome.noticed:
            console.print(f"{mutant.name}: exit code {outcome.code}\n{outcome.said}", markup=False)


def main() -> int:
    """Returns the exit code."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        for mutant in MUTANTS:
            mutant.applied(ROOT)
    except Stale as problem:
        console.print(f"{problem}; write it anew.", markup=False)
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        workshops = [Workshop(Path(folder).resolve() / str(i)) for i in range(_AT_ONCE)]
        if not sound(console, workshops):
            return 1
        outcomes = spread(MUTANTS, Workshop.plant, workshops)
        found = list(zip(MUTANTS, outcomes, strict=True))
    report(console, found)
    survivors = sum(not outcome.noticed for _, outcome in found)
    console.print(f"{len(found) - survivors} of {len(found)} mutants were noticed.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
