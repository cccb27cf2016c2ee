"""compose.yaml is one that Compose takes, with settings that the service takes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from consumer.cli.commands import Entry
from consumer.cli.sandbox import TOKEN_VARIABLE
from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings

FILE = Path(__file__).parents[2] / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of the consumer there."""
    for name in [name for name in os.environ if name.startswith("CONSUMER_")]:
        monkeypatch.delenv(name)
    for name, value in SERVICES["consumer"]["environment"].items():
        assert name.startswith("CONSUMER_")
        monkeypatch.setenv(name, value)
    return read_inputs().build(Settings)


def test_it_follows_the_schema_of_compose() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    command = [str(check), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_settings_are_right_and_name_the_other_services(settings: Settings) -> None:
    assert settings.kafka.bootstrap_servers.split(":")[0] in SERVICES
    assert settings.api.target.split(":")[0] in SERVICES
    assert f"--topic={settings.kafka.input_topic}" in SERVICES["topics"]["command"]


def test_sandbox_takes_its_flags_and_the_consumer_its_credentials(settings: Settings) -> None:
    name, *words = SERVICES["sandbox"]["command"]
    command = Entry(name, extra="sandbox").load()
    assert isinstance(command, typer.core.TyperCommand)
    given = command.make_context(name, list(words)).params
    assert given["cid"] == settings.api.cid
    assert given["listen"].split(":")[1] == settings.api.target.split(":")[1]
    assert SERVICES["sandbox"]["environment"][TOKEN_VARIABLE] == settings.api.access_token()


def test_own_containers_are_hardened() -> None:
    for name in ("sandbox", "consumer"):
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_grace_period_is_longer_than_the_shutdown(settings: Settings) -> None:
    grace = int(SERVICES["consumer"]["stop_grace_period"].removesuffix("s"))
    assert grace >= settings.shutdown.timeout_seconds + 5


def test_targets_are_stages_of_the_dockerfile() -> None:
    text = FILE.with_name("Dockerfile").read_text()
    for service in SERVICES.values():
        if "build" in service:
            assert f" AS {service['build']['target']}\n" in text


def test_ports_are_open_to_this_machine_only() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_kafka_is_the_one_that_the_tests_run_on() -> None:
    pom = (FILE.parent / "tests" / "kafka" / "pom.xml").read_text()
    for name in ("kafka", "topics"):
        version = SERVICES[name]["image"].removeprefix("apache/kafka:")
        assert f"<kafka.version>{version}</kafka.version>" in pom
