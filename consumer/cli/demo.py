"""The command `demo`: the whole job on this machine."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from consumer.cli.options import hush_libraries
from consumer.demo.cast import Part, cast
from consumer.demo.report import Outcome, summary
from consumer.demo.show import LiveShow, PlainShow, Show
from consumer.demo.stage import perform
from consumer.errors import ConsumerError

_LIMIT_SECONDS = 110.0
_PLAIN_WIDTH = 120


def demo(
    *,
    speed: Annotated[
        float,
        typer.Option(metavar="X", min=0.5, max=20, help="How fast callers talk; 1 is real time."),
    ] = 1.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep logs and audit even when all went well.")
    ] = False,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            "--bootstrap-servers",
            metavar="HOST:PORT",
            help="A Kafka without TLS to run on; the embedded broker when not given.",
        ),
    ] = None,
) -> None:
    """Run the whole job on this machine: broker, API, consumer and calls.

    Starts an embedded Kafka-compatible broker, the sandbox as the API and the consumer, each as a
    process of its own, and plays ten calls of real and synthetic speech at once, each in another
    guise: encodings, sample rates, channels, envelopes, a WAV file cut anywhere, plain silence.
    Shows results as they come, ends by itself within two minutes and cleans up.

    Then it checks for every call that it ended with results where it has speech, that the API
    received byte for byte what an independent decoding gives, and that every offset is settled
    and committed. The exit code is 0 only if all of that is so.

    With --bootstrap-servers all of it runs on a Kafka of yours, in topics and a group of its own,
    which it names and leaves there.

    **Examples**

        detection-consumer demo

        detection-consumer demo --speed 2 --keep

        detection-consumer demo --bootstrap-servers localhost:9092
    """
    hush_libraries()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="detection-demo-"))
    kept = True
    try:
        good = _print(console, _perform(console, folder, speed, bootstrap_servers))
        kept = keep or not good
    except ConsumerError as error:
        told = f"The demo failed: {error}"
        console.print(told, style="red", highlight=False, markup=False, soft_wrap=True)
        good = False
    except (KeyboardInterrupt, asyncio.CancelledError):
        kept = keep
        console.print("Stopped.")
        raise typer.Exit(130) from None
    finally:
        _clean_up(console, folder, kept=kept)
    raise typer.Exit(0 if good else 1)


def _perform(
    console: Console, folder: Path, speed: float, servers: str | None
) -> Sequence[Outcome]:
    parts = cast()
    with _show(console, parts) as show:
        return asyncio.run(_until_told(parts, show, folder, speed, servers))


async def _until_told(
    parts: Sequence[Part], show: Show, folder: Path, speed: float, servers: str | None
) -> Sequence[Outcome]:
    playing = asyncio.ensure_future(
        perform(parts, show, folder, speed=speed, limit_seconds=_LIMIT_SECONDS, servers=servers)
    )
    # SIGINT is asyncio.run's own; SIGTERM and a closed terminal must not leave processes behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    return await playing


def _show(console: Console, parts: Sequence[Part]) -> LiveShow | PlainShow:
    return LiveShow(console, parts) if console.is_terminal else PlainShow(console)


def _print(console: Console, outcomes: Sequence[Outcome]) -> bool:
    wide = console if console.is_terminal else Console(width=_PLAIN_WIDTH)
    wide.print(summary(outcomes))
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    for failure in failures:
        console.print(f"wrong: {failure}", style="red", highlight=False, markup=False)
    if not failures:
        results = sum(len(outcome.entry.results) for outcome in outcomes)
        console.print(f"All {len(outcomes)} calls are as they must be; {results} results.")
    return not failures


def _clean_up(console: Console, folder: Path, *, kept: bool) -> None:
    if kept:
        console.print(f"Logs and audit are in {folder}", highlight=False, soft_wrap=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
