"""One node of Apache Kafka as a process: formatted once, started, killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.properties import Place

LEASH = Path(__file__).with_name("leash.py")
STARTED = b"Kafka Server started"

_PAUSE_SECONDS = 0.05
# One quick compiler and one collector thread: such a broker is up sooner than a fast one.
_JVM = (
    *("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
)


class NodeFailed(Exception):
    """A node did not start; the text has the end of its log."""


@dataclass(slots=True)
class Node:
    """A node at its place. java: its command. libraries: the folder of Kafka's jar files."""

    place: Place
    java: str
    libraries: Path
    _process: "subprocess.Popen[bytes] | None" = None
    _log_start: int = 0

    @property
    def log(self) -> Path:
        """Its output and errors, of all its lives."""
        return self.place.folder / "log"

    @property
    def running(self) -> bool:
        """It was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def prepare(self, cluster_id: str, properties: str) -> "subprocess.Popen[bytes]":
        """Write its configuration and begin to format its storage, in a process to wait for."""
        self.place.folder.mkdir(parents=True)
        self._configuration.write_text(properties, encoding="utf-8")
        tool = ("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c")
        with self.log.open("ab") as log:
            command = [*self._command(*tool), str(self._configuration)]
            return subprocess.Popen(command, stdout=log, stderr=log)

    def start(self) -> None:
        """Start it, without waiting, in a session of its own, so that Ctrl-C reaches only us."""
        assert not self.running, "it runs already"
        self._log_start = self.log.stat().st_size
        command = self._command("kafka.Kafka", str(self._configuration))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(LEASH), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float) -> None:
        """Wait until it says that it has started; blocks. Raises NodeFailed."""
        deadline = time.monotonic() + seconds
        while not self._says_started():
            if not self.running or time.monotonic() > deadline:
                state = "is not ready in time" if self.running else "has ended"
                raise NodeFailed(f"node {self.place.number} {state}:\n{self.last_words()}")
            time.sleep(_PAUSE_SECONDS)

    def wait_ended(self) -> None:
        """Wait until it has ended; blocks for as long as it lives."""
        if self._process is not None:
            self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash of its machine would."""
        self.signal(signal.SIGKILL)
        self._ended()

    def stop(self, seconds: float = 20.0) -> None:
        """Ask it to hand its work over and end; kill it if that takes longer."""
        if self._process is not None and self.running:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._ended()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP or SIGCONT, to all of it."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, number)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    @property
    def _configuration(self) -> Path:
        return self.place.folder / "server.properties"

    def _command(self, *arguments: str) -> Sequence[str]:
        return (self.java, *_JVM, "-cp", str(self.libraries / "*"), *arguments)

    def _says_started(self) -> bool:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return STARTED in log.read()

    def _ended(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
