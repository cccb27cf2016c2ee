"""The configuration of one broker that is also a controller, tuned for tests.

Small and quick: few internal partitions, groups that begin at once, failures that are noticed
within seconds. Everything that decides about delivery stays as Kafka has it by default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
QUORUM_COPIES = 3
USER, PASSWORD = "judge", "not-a-secret"
"""Who may log in where rights count; has none at first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one node is. number: from 1. folder: for its data, configuration and log.

    login_port: another one for clients, who must log in there and may do only what they were
    granted; nobody counts rights when None. At the first port everybody may do everything.
    """

    number: int
    port: int
    controller_port: int
    folder: Path
    login_port: int | None = None

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"{HOST}:{self.port}"

    @property
    def voter(self) -> str:
        """How the controllers' quorum names it."""
        return f"{self.number}@{HOST}:{self.controller_port}"


def properties(place: Place, places: Sequence[Place], settings: Mapping[str, str]) -> str:
    """The text of its server.properties. settings: win over all others."""
    guard = {} if place.login_port is None else _GUARD
    lines = {**_identity(place, places), **_copies(len(places)), **_QUICK, **guard, **settings}
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _identity(place: Place, places: Sequence[Place]) -> Mapping[str, str]:
    clients = f"PLAINTEXT://{place.address}"
    if place.login_port is not None:
        clients += f",LOGIN://{HOST}:{place.login_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(place.number),
        "controller.quorum.voters": ",".join(each.voter for each in places),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": clients,
        "log.dirs": str(place.folder / "data"),
    }


def _copies(nodes: int) -> Mapping[str, str]:
    copies, in_sync = min(nodes, QUORUM_COPIES), max(1, min(nodes, QUORUM_COPIES) - 1)
    return {
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
    }


_GUARD = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    # Nodes and the tests' own clients don't log in.
    "super.users": "User:ANONYMOUS",
    "listener.security.protocol.map": (
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT"
    ),
    "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.login.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}";'
    ),
}

_QUICK = {
    "auto.create.topics.enable": "false",
    # A group begins when its first member comes, and members may have short sessions.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # Every one of these partitions is a folder to make, to load and to move.
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.num.partitions": "6",
    # A dead broker or controller is noticed within two seconds or so.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "2000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "replica.lag.time.max.ms": "3000",
    # What is overdue is done soon: transactions aborted, segments deleted and compacted.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.segment.delete.delay.ms": "500",
    # Less memory and fewer threads.
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.index.size.max.bytes": "65536",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
}
