"""Apache Kafka that asks who one is and allows nothing that was not granted.

The tests' own tools come in by another door, where everything is allowed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from tests.kafka.cluster import Cluster, _format, free_ports
from tests.kafka.install import java, libraries
from tests.kafka.node import Node
from tests.kafka.properties import HOST, Place

USER = "calls"
PASSWORD = "only-for-this-broker"

_KINDS = {"topic": 2, "group": 3, "cluster": 4, "transactionalId": 5}
_PATTERNS = {"literal": 3, "prefix": 4}
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_ALLOW = 3


@contextmanager
def guarded_kafka(folder: Path) -> Iterator[tuple[Cluster, str]]:
    """A broker, and its address for those who log in. Raises KafkaMissing, NodeFailed."""
    port, controller_port, guarded_port = free_ports(3)
    place = Place(1, port, controller_port, folder / "node")
    node = Node(place, java(), libraries())
    running = Cluster([node])
    _format([node], [place], _settings(place, f"{HOST}:{guarded_port}"))
    try:
        node.start()
        running.wait_ready()
        yield running, f"{HOST}:{guarded_port}"
    finally:
        running.kill_all()


def _settings(place: Place, guarded: str) -> Mapping[str, str]:
    doors = f"PLAINTEXT://{place.address},GUARDED://{guarded}"
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    return {
        "listeners": f"{doors},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": doors,
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,GUARDED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.guarded.plain.sasl.jaas.config": f'{login} user_{USER}="{PASSWORD}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # Whoever comes through the other door has no name.
        "super.users": "User:ANONYMOUS",
    }


async def grant(kafka: Cluster, acls: Sequence[Mapping[str, Any]]) -> None:
    """Allow the user this: the ACLs of a KafkaUser."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    try:
        for acl in acls:
            resource = acl["resource"]
            for operation in acl["operations"]:
                request = CreateAclsRequest(
                    _KINDS[resource["type"]],
                    resource["name"],
                    _PATTERNS[resource["patternType"]],
                    f"User:{USER}",
                    "*",
                    _OPERATIONS[operation],
                    _ALLOW,
                )
                answer = await client._send_request(request)
                assert all(error == 0 for error, *_ in answer.creation_responses)
    finally:
        await client.close()
