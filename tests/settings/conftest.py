"""Settings are read from the environment, so every test begins with a clean one."""

import os
from collections.abc import Callable

import pytest

from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings

Build = Callable[..., Settings]

REQUIRED = {
    "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": "localhost:9092",
    "CONSUMER_API__TARGET": "localhost:50051",
    "CONSUMER_API__CID": "7",
    "CONSUMER_API__TOKEN": "hush-hush",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("CONSUMER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    """Settings of the required variables and these; None takes one away."""

    def built(**variables: str | None) -> Settings:
        for name, value in (REQUIRED | variables).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return read_inputs().build(Settings)

    return built
