"""A stage for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.guarded import make_topics
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


@pytest.fixture
async def guarded_stage(tmp_path: Path, guarded_kafka: Cluster) -> AsyncIterator[Stage]:
    """The same on Apache Kafka that counts rights, with all topics there, and none granted."""
    async with Stage(tmp_path, apache=guarded_kafka) as stage:
        await make_topics(stage, guarded_kafka)
        yield stage
