"""Commands are loaded when called for, and say what is missing."""

import os
from types import ModuleType
from typing import Any

import pytest

from consumer.cli import commands
from consumer.cli.commands import ENTRIES, LazyCommands
from tests.cli.conftest import Call


def without(name: str) -> Any:
    """An importer of a machine where a package is not installed."""

    def importing(module: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return importing


def test_commands_are_loaded_once() -> None:
    """Listing loads nothing; asking twice gives the same command."""
    lazy = LazyCommands()
    assert list(lazy) == [entry.name for entry in ENTRIES]
    assert len(lazy) == len(ENTRIES)
    assert lazy["config"] is lazy["config"]
    assert lazy.get("nothing") is None


def test_commands_can_be_replaced() -> None:
    """The mapping is a full one, as the library expects."""
    lazy = LazyCommands()
    original = lazy["config"]
    lazy["config"] = lazy["watch"]
    assert lazy["config"] is not original
    del lazy["config"]
    assert lazy["config"].name == "config"


def test_missing_extra_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command without its packages says how to get them, whatever follows it."""
    monkeypatch.setattr(commands, "import_module", without("onnxruntime"))
    done = call("sandbox", "--listen", "127.0.0.1:0", "more")
    assert done.code == 2
    assert "pip install 'detection-consumer[sandbox]'" in done.err
    assert "needs the extra sandbox" in call("sandbox", "--help").out


def test_broken_import_of_our_own_is_not_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that is missing is a bug, not a missing extra."""
    monkeypatch.setattr(commands, "import_module", without("consumer.sandbox.nothing"))
    with pytest.raises(ModuleNotFoundError):
        LazyCommands()["sandbox"]


def test_missing_dependency_of_the_service_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own packages are no extra."""
    monkeypatch.setattr(commands, "import_module", without("aiokafka"))
    with pytest.raises(ModuleNotFoundError):
        LazyCommands()["run"]


def test_native_libraries_are_told_before_they_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's model runtime reports nothing to its makers, unless a person wants that."""
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert LazyCommands()["sandbox"].name == "sandbox"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert LazyCommands()["sandbox"].name == "sandbox"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
