"""`python -m tests.chaos`: one run, its table and its verdict; exit code 1 if a promise is broken.

The seed and the plan are printed first, so that a run can be played again.
"""

import argparse
import asyncio
import logging
import pickle
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import cast

from rich.console import Console

from tests.chaos.brokers import Brokers
from tests.chaos.options import Options
from tests.chaos.plan import FED, KINDS, Kind
from tests.chaos.run import Outcome, play
from tests.chaos.table import fed, show
from tests.kafka.cluster import cluster

DELIVERIES = ("at_least_once", "exactly_once")

_NODES = 3


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    wish = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers are to be missed
    console = Console(width=None if sys.stdout.isatty() else 120)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    options = _options(wish, folder)
    console.print(f"SEED={options.seed} SECONDS={options.seconds} SESSIONS={options.sessions}")
    for fault in options.faults:
        console.print(str(fault), highlight=False)
    with cluster(folder / "kafka", _NODES) as running:
        outcome = asyncio.run(play(options, Brokers(running), console.print))
    (folder / "facts.pickle").write_bytes(pickle.dumps(outcome.facts))
    show(console, outcome)
    lacking = [] if wish.only else _lacking(outcome)
    if lacking:
        console.print(f"No fault of the kinds {lacking} came about.")
    if outcome.complaints or lacking:
        console.print(f"Logs and evidence: {folder}", soft_wrap=True)
        return 1
    shutil.rmtree(folder)
    console.print("The oracle has nothing to complain of.")
    return 0


def _lacking(outcome: Outcome) -> list[str]:
    """Kinds of faults that did not come about."""
    missed = [kind for kind in KINDS if not outcome.faults.get(kind)]
    counts = fed(outcome.calls)
    return [*missed, *(kind for kind in FED if not counts[kind])]


def _options(wish: argparse.Namespace, folder: Path) -> Options:
    kinds = KINDS
    if wish.only:
        kinds = tuple(cast("Kind", kind) for kind in wish.only.split(",") if kind in KINDS)
    return Options(
        seed=SystemRandom().randrange(1 << 32) if wish.seed is None else wish.seed,
        folder=folder,
        seconds=wish.seconds,
        sessions=wish.sessions,
        exactly_once=wish.delivery == "exactly_once",
        kinds=kinds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.chaos")
    parser.add_argument("--seconds", type=int, default=180, help="of calls")
    parser.add_argument("--seed", type=int, help="by chance if there is none")
    parser.add_argument("--sessions", type=int, default=200, help="at the same time")
    parser.add_argument("--delivery", choices=DELIVERIES, default="at_least_once")
    parser.add_argument("--only", help="faults of these kinds, with commas between; `none`")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
