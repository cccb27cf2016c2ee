"""All commands by name; each is loaded when it is called for.

The service must not load what only the sandbox and the demo need, and must run where their extras
are not installed. A command whose extra is missing is listed nevertheless, and says how to get it.
"""

import os
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from consumer.errors import ConfigurationError

_LENIENT = {"ignore_unknown_options": True, "allow_extra_args": True}


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives: function `name` of module `consumer.cli.<name>`.

    environment: what native libraries must find when they are loaded, unless a person has said
    otherwise; they have no other switch.
    """

    name: str
    extra: str | None = None
    environment: tuple[tuple[str, str], ...] = ()

    def load(self) -> TyperCommand:
        """The command, or one that tells which extra it needs."""
        app = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        for name, value in self.environment:
            os.environ.setdefault(name, value)
        try:
            function = getattr(import_module(f"consumer.cli.{self.name}"), self.name)
        except ModuleNotFoundError as error:
            if self.extra is None or (error.name or "").partition(".")[0] == "consumer":
                raise
            app.command(self.name, context_settings=_LENIENT)(self._missing(self.extra))
        else:
            app.command(self.name)(function)
        return cast("TyperCommand", typer.main.get_command(app))

    def _missing(self, extra: str) -> Any:
        def command() -> None:
            install = f"pip install 'detection-consumer[{extra}]'"
            raise ConfigurationError(f"the command {self.name} needs more packages: {install}")

        command.__doc__ = f"Not installed; needs the extra `{extra}`."
        return command


_QUIET = (("GRPC_VERBOSITY", "NONE"),)
"""gRPC's core writes its own lines about refused connections, which reach us as errors anyway."""
_PRIVATE = (("ORT_DISABLE_TELEMETRY", "1"),)
"""onnxruntime reports its use to its makers otherwise."""

ENTRIES = (
    Entry("run"),
    Entry("check", environment=_QUIET),
    Entry("config"),
    Entry("feed"),
    Entry("watch"),
    Entry("sandbox", extra="sandbox", environment=_PRIVATE),
    Entry("demo", extra="demo"),
)
"""In the order in which the help lists them."""


class LazyCommands(MutableMapping[str, Any]):
    """Name to command; asking for a command loads it."""

    def __init__(self) -> None:
        self._entries = {entry.name: entry for entry in ENTRIES}
        self._loaded: dict[str, TyperCommand] = {}

    def __getitem__(self, name: str) -> TyperCommand:
        if name not in self._loaded:
            self._loaded[name] = self._entries[name].load()
        return self._loaded[name]

    def __setitem__(self, name: str, command: TyperCommand) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()
