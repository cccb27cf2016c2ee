"""Prometheus and its tool: without them CI fails, and others skip with the reason."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        text = f"no `{program}` on PATH; Debian has it in the package prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have it: {text}")
        pytest.skip(text)
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of promtool."""
    return _found("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    """The path of Prometheus."""
    return _found("prometheus")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker with empty topics of two partitions, and nothing else yet."""
    async with Stage(tmp_path) as stage:
        yield stage
