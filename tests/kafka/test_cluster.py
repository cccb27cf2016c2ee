"""The Kafka that tests run on: survives being killed, and never outlives its tests."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka.bench import bench, shown
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory
from tests.kafka.install import KafkaMissing, java

ROOT = Path(__file__).parents[2]


@pytest.mark.kafka
async def test_comes_back_as_it_was(new_kafka: KafkaFactory) -> None:
    """A node that was killed and started again is at its old address with its old data."""
    with new_kafka() as kafka:
        table = await bench(kafka)
        address = kafka.bootstrap
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            await producer.send_and_wait(table.output.topic, b"kept", partition=0)
        kafka.kill(1)
        assert not kafka.node(1).running
        kafka.restart(1)
        kafka.wait_ready()
        assert kafka.bootstrap == address
        await shown(table, b"kept")


@pytest.mark.kafka
def test_ends_with_whoever_started_it(apache_kafka: Cluster, tmp_path: Path) -> None:
    """Nothing runs on after the process that started it was killed without a chance to clean up."""
    assert apache_kafka.node(1).running  # so that Kafka is installed
    program = (
        "import os, pathlib, sys; from tests.kafka.cluster import cluster\n"
        "with cluster(pathlib.Path(sys.argv[1])) as kafka:\n"
        "    print(kafka.node(1)._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "kafka")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    # The broker's output is a file, so the group's end is what is left to wait for.
    subprocess.run(
        ["timeout", "20", "sh", "-c", f"while kill -0 -{int(done.stdout)}; do sleep 0.1; done"],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def test_missing_java_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Java the reason says so."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaMissing, match="Java 17 or newer is needed, and there is none"):
        java()


def test_old_java_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Java that is too old is named with what it says of itself."""
    command = tmp_path / "bin" / "java"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    command.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaMissing, match=r"17 or newer.*11\.0\.2"):
        java()


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_without_kafka_tests_are_skipped_but_not_in_ci(ci: str, outcome: str) -> None:
    """The lack shows with its reason; in CI it is a failure."""
    test = "tests/kafka/test_versions.py::test_serves_what_the_library_speaks"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", test],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
        env={"PATH": "", "JAVA_HOME": "/nowhere", "CI": ci},
    )
    assert outcome in done.stdout, done.stdout
    assert "Java 17 or newer is needed" in done.stdout
