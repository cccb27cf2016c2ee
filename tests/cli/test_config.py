"""The command `config`."""

from pathlib import Path

import pytest

from consumer.settings.field import settings_of
from consumer.settings.settings import Settings
from consumer.settings.table import reference_markdown
from tests.cli.conftest import Call

FIELDS = list(settings_of(Settings))


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("CONSUMER_API__TARGET", "api:443")
    monkeypatch.setenv("CONSUMER_API__CID", "7")
    monkeypatch.setenv("CONSUMER_API__TOKEN", "s3cret")


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("layout", ["env", "table", "markdown"])
def test_effective_settings_hide_secrets(call: Call, layout: str) -> None:
    """Everything in force is shown with its origin; the token never is."""
    done = call("config", "--format", layout)
    assert done.code == 0
    assert "s3cret" not in done.out
    assert "********" in done.out
    assert "kafka:9092" in done.out
    assert "environment" in done.out
    assert done.err == ""


@pytest.mark.usefixtures("complete")
def test_files_are_named_as_origin(call: Call, tmp_path: Path) -> None:
    """A value from a file says which."""
    env_file, toml = tmp_path / "a.env", tmp_path / "b.toml"
    env_file.write_text("CONSUMER_KAFKA__GROUP_ID=one\n")
    toml.write_text('[kafka]\nclient_id = "two"\n')
    done = call("config", "--env-file", str(env_file), "--config", str(toml))
    assert f"CONSUMER_KAFKA__GROUP_ID=one  # {env_file}" in done.out
    assert f"CONSUMER_KAFKA__CLIENT_ID=two  # {toml}" in done.out
    assert "CONSUMER_API__LEVEL=all  # default" in done.out


@pytest.mark.usefixtures("complete")
def test_wrong_setting_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config` checks what it prints."""
    monkeypatch.setenv("CONSUMER_DELIVERY", "twice")
    done = call("config")
    assert done.code == 2
    assert done.err.startswith("detection-consumer: CONSUMER_DELIVERY: must be 'at_least_once'")


def test_reference_needs_no_settings(call: Call) -> None:
    """The reference prints without any setting, as the README's table does."""
    done = call("config", "--reference", "--format", "markdown")
    assert (done.code, done.out) == (0, reference_markdown())


@pytest.mark.parametrize("layout", ["env", "table"])
def test_reference_has_every_setting(
    call: Call, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layout lists all of them."""
    monkeypatch.setenv("COLUMNS", "200")
    out = call("config", "--reference", "--format", layout).out
    assert all(field.variable in out for field in FIELDS)


def test_reference_is_an_env_file_to_start_from(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the required values filled in, the printed file is accepted."""
    path = tmp_path / "consumer.env"
    path.write_text(call("config", "--reference", "--format", "env").out)
    assert "\nCONSUMER_API__TARGET=\n" in path.read_text()
    for name, value in (("KAFKA__BOOTSTRAP_SERVERS", "a:1"), ("API__TARGET", "b:2")):
        monkeypatch.setenv(f"CONSUMER_{name}", value)
    monkeypatch.setenv("CONSUMER_API__CID", "1")
    monkeypatch.setenv("CONSUMER_API__TOKEN", "x")
    assert call("config", "--env-file", str(path)).code == 0
