"""Plays every scene with the consumer as it is, then with each break in it.

Exit code 1 unless the oracle is content with the first and complains as it should of the others.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.breaks.flaw import Flaw
from tests.chaos.breaks.flaws import FLAWS
from tests.chaos.breaks.scene import Scene
from tests.chaos.brokers import Brokers
from tests.chaos.options import Options
from tests.chaos.oracle.facts import Complaint
from tests.chaos.run import play
from tests.kafka.cluster import cluster

_AT_ONCE = 3
_SEED = 7
_SHOWN = 3
_PLAYS = 3
"""Whether a crash finds what a break has left open is chance, within one or two plays."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One short run. flaw: None for the consumer as it is."""

    number: int
    scene: Scene
    flaw: Flaw | None
    exactly_once: bool

    @property
    def name(self) -> str:
        """For people."""
        return self.flaw.name if self.flaw else "nothing"

    def right(self, complaints: Sequence[Complaint]) -> bool:
        """The oracle has said what it should."""
        return self.flaw.caught(complaints) if self.flaw else not complaints


def trials(flaws: Sequence[Flaw]) -> list[Trial]:
    """Every scene without a break, then every break."""
    scenes = {(flaw.scene.name, flaw.exactly_once): flaw for flaw in flaws}
    sound = [(flaw.scene, None, flaw.exactly_once) for flaw in scenes.values()]
    broken = [(flaw.scene, flaw, flaw.exactly_once) for flaw in flaws]
    return [Trial(number, *rest) for number, rest in enumerate([*sound, *broken])]


async def perform(trial: Trial, brokers: Brokers, folder: Path) -> list[Complaint]:
    """Play it; what the oracle says. A break that has not struck yet gets another chance."""
    complaints: list[Complaint] = []
    for play_number in range(_PLAYS if trial.flaw else 1):
        stem = f"trial-{trial.number}-{play_number}"
        complaints = await _perform_once(trial, brokers, folder / stem, _SEED + play_number)
        if trial.right(complaints):
            break
    return complaints


async def _perform_once(trial: Trial, brokers: Brokers, place: Path, seed: int) -> list[Complaint]:
    await asyncio.to_thread(place.mkdir)
    options = Options(
        seed=seed,
        folder=place,
        seconds=trial.scene.seconds,
        sessions=trial.scene.sessions,
        lengths=trial.scene.lengths,
        pace=1.0,
        replicas=trial.scene.replicas,
        poisoned=1,
        exactly_once=trial.exactly_once,
        plan=trial.scene.faults,
        stem=place.name,
        patience=25.0,
        consumer=await asyncio.to_thread(trial.flaw.build, place / "tree") if trial.flaw else None,
        settings=trial.scene.settings,
    )
    return [*(await play(options, brokers, lambda text: None)).complaints]


async def perform_all(
    chosen: Sequence[Trial], brokers: Brokers, folder: Path
) -> list[list[Complaint]]:
    """Some at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(trial: Trial) -> list[Complaint]:
        async with free:
            return await perform(trial, brokers, folder)

    return await asyncio.gather(*map(one, chosen))


def report(console: Console, found: Sequence[tuple[Trial, list[Complaint]]]) -> None:
    """One row for each."""
    table = Table("scene", "broken", "must complain of", "complains of", "outcome")
    for trial, complaints in found:
        rules = ", ".join(sorted({one.rule for one in complaints}))
        wanted = trial.flaw.rule if trial.flaw else "nothing"
        word = "right" if trial.right(complaints) else "WRONG"
        table.add_row(trial.scene.name, trial.name, wanted, rules or "nothing", word)
    console.print(table)
    for trial, complaints in found:
        if not trial.right(complaints):
            console.print(f"{trial.scene.name}, {trial.name}:", markup=False)
            for one in complaints[:_SHOWN]:
                console.print(f"  {one.rule}: {one.text}", markup=False)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="tests.chaos.breaks")
    parser.add_argument("--only", default="", help="breaks with one of these words in their names")
    wish = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    words = wish.only.split(",")
    chosen = trials([flaw for flaw in FLAWS if any(word in flaw.name for word in words)])
    console = Console(width=None if sys.stdout.isatty() else 140)
    folder = Path(tempfile.mkdtemp(prefix="chaos-breaks-"))
    with cluster(folder / "kafka") as running:
        work = perform_all(chosen, Brokers(running), folder)
        found = list(zip(chosen, asyncio.run(work), strict=True))
    for number, (_, complaints) in enumerate(found):
        (folder / f"trial-{number}.complaints").write_text("\n".join(map(str, complaints)))
    report(console, found)
    wrong = [trial for trial, complaints in found if not trial.right(complaints)]
    console.print(f"{len(found) - len(wrong)} of {len(found)} trials went as they should.")
    if wrong:
        console.print(f"Logs and evidence: {folder}", soft_wrap=True)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
