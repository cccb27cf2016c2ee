"""Apache Kafka on this machine: one node, or three that survive the loss of one.

Every node is broker and controller at once. Nothing of it outlives the process that started it.
"""

import base64
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import SystemRandom

from consumer.adapters.kafka.options import KafkaOptions, SecurityOptions
from tests.kafka.install import java, libraries
from tests.kafka.node import Node, NodeFailed
from tests.kafka.properties import HOST, PASSWORD, USER, Place, properties

_READY_SECONDS = 60.0
# Below the ports that systems hand out by themselves: those may be taken while a node is down.
_PORTS = range(20_000, 32_000)


class Cluster:
    """Nodes of one Kafka. Methods block, for at most as long as they say.

    A loop with clients in it calls those that wait by `asyncio.to_thread`.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self._numbers = count()

    @property
    def bootstrap(self) -> str:
        """HOST:PORT of every node, with commas between."""
        return ",".join(node.place.address for node in self.nodes)

    @property
    def login(self) -> str:
        """The same for clients that log in, of a cluster where rights count."""
        return ",".join(f"{HOST}:{node.place.login_port}" for node in self.nodes)

    @property
    def address(self) -> str:
        """The same, under the name that the embedded broker has for it."""
        return self.bootstrap

    @property
    def options(self) -> KafkaOptions:
        """How adapters reach it."""
        return KafkaOptions(bootstrap_servers=self.bootstrap, request_timeout_seconds=10.0)

    @property
    def login_options(self) -> KafkaOptions:
        """How adapters log in."""
        security = SecurityOptions(
            protocol="SASL_PLAINTEXT", mechanism="PLAIN", username=USER, password=PASSWORD
        )
        return replace(self.options, bootstrap_servers=self.login, security=security)

    @property
    def copies(self) -> int:
        """How many copies of a partition it can hold."""
        return len(self.nodes)

    def fresh(self, stem: str) -> str:
        """A name that no other test has."""
        return f"{stem}-{next(self._numbers)}"

    def node(self, number: int) -> Node:
        """The node of this number, from 1; it is what metadata calls the broker's id."""
        return self.nodes[number - 1]

    def kill(self, number: int) -> None:
        """Kill one node with SIGKILL."""
        self.node(number).kill()

    def stop(self, number: int) -> None:
        """Stop one node in good order."""
        self.node(number).stop()

    def restart(self, number: int) -> None:
        """Start a node that has ended, at its old port and with its old data; doesn't wait."""
        self.node(number).start()

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until all nodes that run are ready. Raises NodeFailed."""
        for node in self.nodes:
            if node.running:
                node.wait_ready(seconds)

    def kill_all(self) -> None:
        """End all of it at once."""
        for node in self.nodes:
            node.kill()


@contextmanager
def cluster(
    folder: Path,
    nodes: int = 1,
    *,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    guarded: bool = False,
) -> Iterator[Cluster]:
    """A Kafka that is ready, for as long as the block lasts. folder: where it may keep things.

    port: for clients of the first node, a free one when None. settings: Kafka's own, for all
    nodes. guarded: clients can log in, and then have only the rights that they were granted.
    Raises KafkaMissing, NodeFailed.
    """
    jars, command = libraries(), java()
    places = _places(folder, nodes, guarded=guarded)
    if port is not None:
        places[0] = replace(places[0], port=port)
    running = Cluster([Node(place, command, jars) for place in places])
    _format(running.nodes, places, settings or {})
    try:
        for node in running.nodes:
            node.start()
        running.wait_ready()
        yield running
    finally:
        running.kill_all()


def _places(folder: Path, nodes: int, *, guarded: bool) -> list[Place]:
    ports = iter(free_ports(3 * nodes))
    return [
        Place(
            number=number,
            port=next(ports),
            controller_port=next(ports),
            folder=folder / f"node-{number}",
            login_port=next(ports) if guarded else None,
        )
        for number in range(1, nodes + 1)
    ]


def _format(nodes: Sequence[Node], places: Sequence[Place], settings: Mapping[str, str]) -> None:
    # Zero bits first: an identity that begins with a dash would be taken for an option.
    identity = base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
    texts = [properties(place, places, settings) for place in places]
    tools = [node.prepare(identity, text) for node, text in zip(nodes, texts, strict=True)]
    for node, tool in zip(nodes, tools, strict=True):
        if tool.wait() != 0:
            raise NodeFailed(f"can't format node {node.place.number}:\n{node.last_words()}")


def free_ports(number: int) -> list[int]:
    """So many ports that nobody listens on just now."""
    found: list[int] = []
    for port in SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                found.append(port)
        if len(found) == number:
            return found
    raise NodeFailed("no free ports")
