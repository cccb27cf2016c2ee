"""Options that several commands share, and the way from them to settings."""

import logging
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Sources

S = TypeVar("S", bound=Sources)

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="Env file with settings; the variable CONSUMER_ENV_FILE may name it as well.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML file with settings; the variable CONSUMER_CONFIG may name it as well.",
    ),
]


def load(kind: type[S], env_file: Path | None, config: Path | None) -> S:
    """The settings of a command. Raises ConfigurationError."""
    return read_inputs(env_file, config).build(kind)


def hush_libraries() -> None:
    """Keep the Kafka client's own log lines off a tool's output; its errors reach us anyway."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
