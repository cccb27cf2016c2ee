"""Helm and the chart. Without Helm these tests are skipped with the reason, in CI they fail."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings
from tests.helm.chart import Chart
from tests.helm.install import HelmMissing, helm

Start = Callable[[Mapping[str, str]], Settings]


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart with a real Helm."""
    try:
        return Chart(helm())
    except HelmMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have Helm: {error}")
        pytest.skip(f"no Helm: {error}")


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """(environment) -> what the service makes of it; raises ConfigurationError as it does.

    Files that are named there are put to a place of their own first, with something in them.
    """
    folder = tmp_path_factory.mktemp("mounted")

    def started(environment: Mapping[str, str]) -> Settings:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("CONSUMER_")]:
                patch.delenv(name)
            for name, text in environment.items():
                patch.setenv(name, _mounted(folder, text) if name.endswith("_FILE") else text)
            return read_inputs().build(Settings)

    return started


def _mounted(folder: Path, path: str) -> str:
    file = folder / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("something")
    return str(file)
