"""Apache Kafka on this machine, as the tests of adapters and of the client library know it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from consumer.adapters.kafka.options import KafkaOptions
from tests.kafka.nodes import Nodes, nodes_running


class Cluster(Nodes):
    """Nodes of one Kafka, and how adapters reach them."""

    @property
    def address(self) -> str:
        """HOST:PORT of every node, under the name that the embedded broker has for it."""
        return self.bootstrap

    @property
    def options(self) -> KafkaOptions:
        """How adapters reach it."""
        return KafkaOptions(bootstrap_servers=self.bootstrap, request_timeout_seconds=10.0)


@contextmanager
def cluster(
    folder: Path,
    nodes: int = 1,
    *,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """As `nodes_running` says."""
    with nodes_running(folder, nodes, port=port, settings=settings) as running:
        yield Cluster(running.nodes)
