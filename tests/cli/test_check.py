"""The command `check`, against a real broker and a real sandbox."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.adapters.kafka.fresh import make_topic
from tests.adapters.broker import Broker
from tests.cli.conftest import Call, Done

pytestmark = pytest.mark.broker


def make(broker: Broker, variable: str, partitions: int) -> None:
    asyncio.run(make_topic(broker.options, os.environ[variable], partitions))


def line(done: Done, what: str) -> str:
    (found,) = [each for each in done.out.splitlines() if each[5:].startswith(what)]
    return found


@pytest.mark.usefixtures("sandbox")
def test_all_is_well(call: Call, kafka: Broker) -> None:
    """With a topic, brokers and an API that takes the credentials the exit code is 0."""
    make(kafka, "CONSUMER_KAFKA__INPUT_TOPIC", 3)
    make(kafka, "CONSUMER_KAFKA__RESULTS_TOPIC", 3)
    done = call("check")
    assert done.code == 0, done.out
    assert all(each.startswith("ok") for each in done.out.splitlines())
    assert "input, 3 partitions" in line(
        done, f"topic {os.environ['CONSUMER_KAFKA__INPUT_TOPIC']}:"
    )
    assert "3 partitions, 1 copy" in line(done, "topic results")
    assert "`run` makes it with 3 partitions" in line(done, "topic sessions")
    assert "has committed nothing yet" in line(done, "group detection-consumer")
    assert "came to its OK, WITHOUT TLS" in line(done, "API 127.0.0.1")


@pytest.mark.usefixtures("sandbox")
def test_topics_that_do_not_fit_are_told(
    call: Call, kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few partitions and missing topics are told with what to do."""
    monkeypatch.setenv("CONSUMER_KAFKA__CREATE_TOPICS", "false")
    make(kafka, "CONSUMER_KAFKA__INPUT_TOPIC", 3)
    make(kafka, "CONSUMER_KAFKA__RESULTS_TOPIC", 1)
    done = call("check")
    assert done.code == 1
    assert "1 partition, but the input has 3: add" in line(done, "topic results")
    assert "create it with 3 partitions, or set" in line(done, "topic sessions")


@pytest.mark.usefixtures("sandbox", "kafka")
def test_missing_input_is_told(call: Call) -> None:
    """Without the input topic nothing of the topics can be judged, but the API can."""
    done = call("check")
    assert done.code == 1
    assert "does not exist, or this user may not see it" in line(
        done, f"topic {os.environ['CONSUMER_KAFKA__INPUT_TOPIC']}:"
    )
    assert line(done, "API").startswith("ok")


@pytest.mark.usefixtures("sandbox")
def test_brokers_without_idempotence_are_told(
    call: Call, kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded broker knows no idempotent writing; that shows before `run` does."""
    monkeypatch.setenv("CONSUMER_KAFKA__IDEMPOTENT", "true")
    make(kafka, "CONSUMER_KAFKA__INPUT_TOPIC", 1)
    done = call("check")
    assert done.code == 1
    assert line(done, "writing").startswith("FAIL")


def test_wrong_credentials_are_told(
    call: Call, kafka: Broker, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused token leads to its variable, and is not printed."""
    make(kafka, "CONSUMER_KAFKA__INPUT_TOPIC", 1)
    monkeypatch.setenv("CONSUMER_API__TOKEN", "stale-token")
    done = call("check")
    assert done.code == 1
    found = line(done, f"API {sandbox}")
    assert found.startswith("FAIL")
    assert "UNAUTHENTICATED" in found
    assert "check CONSUMER_API__CID, CONSUMER_API__TOKEN" in found
    assert "stale-token" not in done.out + done.err


def test_wrong_encryption_is_told(
    call: Call, kafka: Broker, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS towards a plain endpoint leads to the variables of the way there."""
    make(kafka, "CONSUMER_KAFKA__INPUT_TOPIC", 1)
    monkeypatch.setenv("CONSUMER_API__TLS", "true")
    done = call("check")
    assert done.code == 1
    found = line(done, f"API {sandbox}")
    assert "check CONSUMER_API__TARGET, CONSUMER_API__TLS" in found


@pytest.mark.usefixtures("sandbox")
def test_nothing_but_findings_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client libraries' own log lines stay away, in a process of its own."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("CONSUMER_API__TLS", "true")
    command = [sys.executable, "-m", "consumer", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.usefixtures("sandbox")
def test_unreachable_brokers_are_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker leads to its variables; the API is looked at all the same."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = call("check")
    assert done.code == 1
    assert "check CONSUMER_KAFKA__BOOTSTRAP_SERVERS" in line(done, "Kafka")
    assert line(done, "API").startswith("ok")


@pytest.mark.usefixtures("kafka", "sandbox")
def test_unreadable_password_is_told(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A secret's file that holds nothing leads to its variable."""
    path = tmp_path / "password"
    path.write_text("")
    monkeypatch.setenv("CONSUMER_KAFKA__SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("CONSUMER_KAFKA__SASL_USERNAME", "ann")
    monkeypatch.setenv("CONSUMER_KAFKA__SASL_PASSWORD_FILE", str(path))
    done = call("check")
    assert done.code == 1
    assert f"CONSUMER_KAFKA__SASL_PASSWORD_FILE: {path} is empty" in done.out
