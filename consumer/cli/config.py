"""The command `config`: what is set, and what can be set."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from consumer.cli.options import Config, EnvFile
from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings
from consumer.settings.table import (
    EffectiveRow,
    ReferenceRow,
    effective,
    reference,
    reference_markdown,
)


class Layout(StrEnum):
    """How to print."""

    TABLE = "table"
    MARKDOWN = "markdown"
    ENV = "env"


def config(
    *,
    list_all: Annotated[
        bool, typer.Option("--reference", help="List every setting there is instead.")
    ] = False,
    layout: Annotated[
        Layout | None,
        typer.Option(
            "--format",
            help="`table` for people (default on a terminal), `env` for an env file (default "
            "otherwise), `markdown` for the reference in a document.",
        ),
    ] = None,
    env_file: EnvFile = None,
    config_file: Config = None,
) -> None:
    """Print the settings in force, or the reference of all settings.

    Says for each setting where its value comes from. Secrets are never printed.
    The order of precedence is: environment, env file, TOML file, defaults.
    The exit code is 2 when a setting is wrong or missing, so this checks a deployment's settings.

    **Examples**

    What would the service run with?

        detection-consumer config --env-file production.env

    A file to start from:

        detection-consumer config --reference --format env > consumer.env
    """
    console = Console()
    chosen = layout or (Layout.TABLE if console.is_terminal else Layout.ENV)
    if list_all:
        _print_reference(chosen, console)
        return
    inputs = read_inputs(env_file, config_file)
    rows = list(effective(inputs.build(Settings), inputs))
    _print_effective(rows, chosen, console)


def _print_reference(layout: Layout, console: Console) -> None:
    if layout is Layout.MARKDOWN:
        typer.echo(reference_markdown(), nl=False)
    elif layout is Layout.ENV:
        for row in reference():
            typer.echo(_env_lines(row))
    else:
        table = Table("variable", "type or unit", "default", "what and why", show_lines=True)
        for row in reference():
            table.add_row(row.variable, row.kind, row.default, row.description)
        console.print(table)


def _env_lines(row: ReferenceRow) -> str:
    required = row.default == "required"
    line = f"{row.variable}=" if required else f"# {row.variable}={row.default}"
    return f"# {row.description} ({row.kind}{', required' if required else ''})\n{line}\n"


def _print_effective(rows: list[EffectiveRow], layout: Layout, console: Console) -> None:
    if layout is Layout.TABLE:
        table = Table("variable", "value", "from")
        for row in rows:
            table.add_row(row.variable, row.value, row.origin)
        console.print(table)
    elif layout is Layout.MARKDOWN:
        typer.echo("| variable | value | from |\n| --- | --- | --- |")
        for row in rows:
            typer.echo(f"| `{row.variable}` | {row.value} | {row.origin} |")
    else:
        for row in rows:
            typer.echo(f"{row.variable}={row.value}  # {row.origin}")
