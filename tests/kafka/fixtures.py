"""Apache Kafka for tests: one broker that they share, and clusters of their own for rough ones.

Where there is no Java or Maven such tests are skipped with the reason, in CI they fail.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import count

import pytest

from tests.kafka.cluster import Cluster, cluster
from tests.kafka.install import KafkaMissing, libraries

KafkaFactory = Callable[..., AbstractContextManager[Cluster]]
"""(nodes: int = 1, settings: Mapping[str, str] | None = None, guarded: bool = False) -> a cluster
to `with`."""


@pytest.fixture(scope="session")
def new_kafka(tmp_path_factory: pytest.TempPathFactory) -> KafkaFactory:
    """Starts clusters for tests that kill brokers; five seconds for one of three nodes."""
    try:
        libraries()
    except KafkaMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have Apache Kafka: {error}")
        pytest.skip(f"no Apache Kafka: {error}")
    numbers = count()

    def start(
        nodes: int = 1, settings: Mapping[str, str] | None = None, *, guarded: bool = False
    ) -> AbstractContextManager[Cluster]:
        folder = tmp_path_factory.mktemp(f"kafka-{next(numbers)}")
        return cluster(folder, nodes, settings=settings, guarded=guarded)

    return start


@pytest.fixture(scope="session")
def guarded_kafka(new_kafka: KafkaFactory) -> Iterator[Cluster]:
    """Another one that they share, where who logs in may do only what was granted."""
    with new_kafka(guarded=True) as running:
        yield running


@pytest.fixture(scope="session")
def apache_kafka(new_kafka: KafkaFactory) -> Iterator[Cluster]:
    """One broker that tests share, each with names of its own; nobody may stop it."""
    with new_kafka() as running:
        yield running
