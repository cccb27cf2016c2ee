"""A stage for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker with empty topics of two partitions, and nothing else yet."""
    async with Stage(tmp_path) as stage:
        yield stage
