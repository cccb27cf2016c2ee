"""The command line as a person calls it, beside a broker and a sandbox that really run."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer.__main__ import main
from tests.adapters.broker import Broker, broker

__all__ = ["broker"]


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("CONSUMER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process."""

    def called(*arguments: str) -> Done:
        capfd.readouterr()
        try:
            main(arguments)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return called


@pytest.fixture
def kafka(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Settings that lead to the broker and to topics of this test's own."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", broker.address)
    monkeypatch.setenv("CONSUMER_KAFKA__IDEMPOTENT", "false")
    monkeypatch.setenv("CONSUMER_KAFKA__INPUT_TOPIC", broker.fresh("calls"))
    monkeypatch.setenv("CONSUMER_KAFKA__RESULTS_TOPIC", broker.fresh("results"))
    monkeypatch.setenv("CONSUMER_KAFKA__SESSIONS_TOPIC", broker.fresh("sessions"))
    return broker


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Settings that lead to a sandbox of its own; its address."""
    command = [sys.executable, "-m", "consumer", "sandbox"]
    options = ["--listen", "127.0.0.1:0", "--rest-listen", "off", "--cid", "7", "--token", "hush"]
    log = (tmp_path / "sandbox.log").open("w")
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        found = re.search(r"gRPC on (\S+)", line)
        if found:
            address = found[1]
            break
    monkeypatch.setenv("CONSUMER_API__TARGET", address)
    monkeypatch.setenv("CONSUMER_API__TLS", "false")
    monkeypatch.setenv("CONSUMER_API__CID", "7")
    monkeypatch.setenv("CONSUMER_API__TOKEN", "hush")
    yield address
    process.kill()
    process.communicate()
    log.close()
