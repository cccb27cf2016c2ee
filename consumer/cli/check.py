"""The command `check`: is everything there that `run` needs?"""

import asyncio

import typer
from rich.console import Console

from consumer.cli.examination import examine
from consumer.cli.options import Config, EnvFile, hush_libraries, load
from consumer.settings.settings import Settings


def check(env_file: EnvFile = None, config_file: Config = None) -> None:
    """Look whether Kafka and the API are ready for `run`, and say what to do where they aren't.

    Connects with the settings in force and looks at the brokers, the topics, their partitions and
    this user's rights, the consumer group's offsets, the way of writing, with `exactly_once` the
    start of a transactional producer under a name of its own, and the API: encryption,
    credentials and one stream with a config and no audio. Writes nothing, creates nothing and
    joins no group, so it can be run beside a working service.

    The exit code is 0 when all is well, 1 when something must be done, 2 for wrong settings.

    **Examples**

        detection-consumer check

        detection-consumer check --env-file production.env
    """
    hush_libraries()
    settings = load(Settings, env_file, config_file)
    if not asyncio.run(_print(settings)):
        raise typer.Exit(1)


async def _print(settings: Settings) -> bool:
    console = Console(highlight=False, soft_wrap=True)
    good = True
    async for finding in examine(settings):
        good = good and finding.good
        mark = "[green]ok  [/]" if finding.good else "[red]FAIL[/]"
        console.print(mark, end=" ")
        console.print(f"{finding.what}: {finding.text}", markup=False)
    return good
