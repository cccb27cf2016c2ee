"""Who may do what on a guarded cluster: rights are granted and taken back by Kafka's own protocol.

The client library knows these messages but has no method for them.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from tests.kafka.cluster import Cluster
from tests.kafka.properties import USER

Kind = Literal["topic", "group", "transactional id"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]

_KINDS: Final[dict[Kind, int]] = {"topic": 2, "group": 3, "transactional id": 5}
_OPERATIONS: Final[dict[Operation, int]] = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Describe": 8,
    "DescribeConfigs": 10,
}
_LITERAL, _PREFIXED = 3, 4
_ALLOW: Final = 3
_PAUSE_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 15.0


class Rule(NamedTuple):
    """One thing that may be done. prefix: to everything whose name begins so."""

    kind: Kind
    name: str
    operation: Operation
    prefix: bool = False


async def grant(kafka: Cluster, *rights: Rule) -> None:
    """Give the user these; returns when the brokers go by them."""
    await _change(kafka, CreateAclsRequest, rights, there=True)


async def take_back(kafka: Cluster, *rights: Rule) -> None:
    """Take these from the user; returns when the brokers go by that."""
    await _change(kafka, DeleteAclsRequest, rights, there=False)


async def _change(kafka: Cluster, request: Any, rights: Iterable[Rule], *, there: bool) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    try:
        for right in rights:
            answer = (await client._send_request(request(*_words(right)))).to_object()
            [told] = answer.get("creation_responses") or answer["filter_responses"]
            assert told["error_code"] == 0, told
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for right in rights:
                while await _granted(client, right) != there:  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await client.close()


async def _granted(client: AIOKafkaAdminClient, right: Rule) -> bool:
    answer = (await client._send_request(DescribeAclsRequest(*_words(right)))).to_object()
    assert answer["error_code"] == 0, answer
    return bool(answer["resources"])


def _words(right: Rule) -> tuple[int, str, int, str, str, int, int]:
    pattern = _PREFIXED if right.prefix else _LITERAL
    operation = _OPERATIONS[right.operation]
    return (_KINDS[right.kind], right.name, pattern, f"User:{USER}", "*", operation, _ALLOW)
