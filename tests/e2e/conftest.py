"""A stage for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker with empty topics of two partitions, and nothing else yet."""
    async with Stage(tmp_path) as stage:
        yield stage


@pytest.fixture
async def apache_stage(tmp_path: Path, apache_kafka: Cluster) -> AsyncIterator[Stage]:
    """The same on Apache Kafka."""
    async with Stage(tmp_path, apache=apache_kafka) as stage:
        yield stage
