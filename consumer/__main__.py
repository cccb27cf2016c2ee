"""The door: the command line, and what its failures look like to a person."""

import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from consumer.cli.commands import Commands
from consumer.errors import ConfigurationError, ConsumerError, LocalProtocolError

PROGRAM = "detection-consumer"

app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        except PackageNotFoundError:
            typer.echo(f"{PROGRAM} of a source tree that is not installed")
        raise typer.Exit


@app.callback()
def door(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Live call audio on Kafka in, deepfake-detection results out.

    The service reads audio chunks keyed by call, holds one detection stream per call, and writes
    what the API finds to a topic. It is set up by environment variables (`CONSUMER_...`), an env
    file or a TOML file; `config --reference` lists them all.

    To see the whole job on this machine, without any account: `detection-consumer demo`
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 for success, 1 for a failure, 2 for a mistake in the call."""
    try:
        app(args=arguments, prog_name=PROGRAM)
    except (ConsumerError, BaseExceptionGroup) as error:
        failures = list(_leaves(error))
        if not all(_expected(failure) for failure in failures):
            raise
        for told in dict.fromkeys(map(_told, failures)):  # several partitions fail alike
            typer.echo(told, err=True)
        wrong_call = any(isinstance(failure, ConfigurationError) for failure in failures)
        sys.exit(2 if wrong_call else 1)


def _told(failure: BaseException) -> str:
    lines = str(failure).splitlines()
    if len(lines) > 1:
        return "\n  ".join([f"{PROGRAM}: {len(lines)} things are wrong", *lines])
    return f"{PROGRAM}: {failure}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _expected(error: BaseException) -> bool:
    """Whether a person can do something about it, so that a traceback would only hide the text."""
    return isinstance(error, ConsumerError) and not isinstance(error, LocalProtocolError)


if __name__ == "__main__":
    main()
