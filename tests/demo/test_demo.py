"""The demo itself, with real processes."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.demo.cast import cast
from consumer.demo.child import ChildFailed
from consumer.demo.show import PlainShow
from consumer.demo.stage import DemoFailed, perform
from tests.adapters.broker import answers
from tests.kafka.cluster import Cluster

COMMAND = [sys.executable, "-m", "consumer", "demo"]


@pytest.mark.e2e
@pytest.mark.broker
def test_demo_succeeds(tmp_path: Path) -> None:
    """At four times the pace all calls end, match and settle, and nothing is left behind."""
    done = subprocess.run(
        [*COMMAND, "--speed", "4"],
        capture_output=True,
        text=True,
        timeout=115,
        check=False,
        # Settings of a person's other consumer must not get into the demo.
        env=dict(os.environ) | {"TMPDIR": str(tmp_path), "CONSUMER_KAFKA__INPUT_TOPIC": "other"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"All 10 calls are as they must be; \d+ results\.", done.stdout)
    assert done.stdout.count("│ match │") == 10
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.kafka
def test_demo_succeeds_on_apache_kafka(apache_kafka: Cluster, tmp_path: Path) -> None:
    """The same on Apache Kafka, in topics of its own, as often as one likes."""
    for _ in range(2):
        done = subprocess.run(
            [*COMMAND, "--speed", "8", "--bootstrap-servers", apache_kafka.bootstrap],
            capture_output=True,
            text=True,
            timeout=55,
            check=False,
            env=dict(os.environ) | {"TMPDIR": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"All 10 calls are as they must be; \d+ results\.", done.stdout)
        assert "Kafka-compatible" not in done.stdout


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_demo_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end every process and remove the folder."""
    environment = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        ports = []
        for line in process.stdout:
            ports += [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", line)]
            if line.startswith("calls"):
                break
        assert len(ports) == 3
        assert all(answers(port) for port in ports)
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "Stopped." in rest
    assert not any(answers(port) for port in ports)
    assert list(tmp_path.iterdir()) == []


class Silence(PlainShow):
    """Prints nothing and remembers all."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.broker
async def test_time_limit_is_kept(tmp_path: Path) -> None:
    """A demo that takes too long says which calls did not end."""
    with pytest.raises(DemoFailed, match=r"not over within 0\.001 s.*demo-wideband, demo-tele"):
        await perform(cast(), Silence(), tmp_path, speed=1, limit_seconds=0.001)


@pytest.mark.broker
async def test_part_that_does_not_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the sandbox can't start, the demo ends at once with its last words."""
    monkeypatch.setattr("consumer.demo.backstage._python", lambda: (sys.executable, "-c", "1/0"))
    show = Silence()
    async with asyncio.timeout(60):
        with pytest.raises(ChildFailed, match=r"(?s)the sandbox ended with.*ZeroDivisionError"):
            await perform(cast(), show, tmp_path, speed=1, limit_seconds=60)
    assert [text.split()[0] for text in show.said] == ["broker"]
