"""Three nodes of Apache Kafka: topics, deaths, and leaders that move."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.protocol.admin import AlterPartitionReassignmentsRequest

from tests.chaos.names import PARTITIONS
from tests.chaos.patience import within
from tests.kafka.cluster import Cluster

_TIMEOUT_MS = 20_000
_PAUSE_SECONDS = 0.5
_SYNC_SECONDS = 60.0
_CLIENT_SECONDS = 60.0

Replicas = dict[tuple[str, int], list[int]]
"""The brokers that have each partition of each topic."""


@dataclass(slots=True)
class Brokers:
    """A cluster that runs, and what chaos does to it."""

    cluster: Cluster

    @property
    def bootstrap(self) -> str:
        """HOST:PORT of all."""
        return self.cluster.bootstrap

    async def make(self, topics: Iterable[str]) -> None:
        """Make empty topics, with copies on all brokers."""
        copies = self.cluster.copies
        async with _admin(self.bootstrap) as admin:
            await admin.create_topics([NewTopic(name, PARTITIONS, copies) for name in topics])
            await self._in_sync(admin)

    async def bounce(self, whom: int, seconds: float) -> str:
        """Kill one and start it again after so many seconds; returns when all copies are back."""
        number = whom % self.cluster.copies + 1
        await asyncio.to_thread(self.cluster.kill, number)
        await asyncio.sleep(seconds)
        self.cluster.restart(number)
        await asyncio.to_thread(self.cluster.wait_ready)
        async with _admin(self.bootstrap) as admin:
            await self._in_sync(admin)
        return f"broker {number}"

    async def move(self, whom: int, seconds: float) -> str:
        """Take all partitions from one broker, and give them back after so many seconds."""
        number = whom % self.cluster.copies + 1
        async with _admin(self.bootstrap) as admin:
            homes = await _replicas(admin)
            away = {place: [one for one in on if one != number] for place, on in homes.items()}
            await _reassign(admin, {place: on for place, on in away.items() if on})
            await asyncio.sleep(seconds)
            rotated = {place: [*on[1:], on[0]] for place, on in homes.items() if on}
            await _reassign(admin, rotated)
            await self._in_sync(admin)
        return f"leaders away from broker {number}"

    async def _in_sync(self, admin: AIOKafkaAdminClient) -> None:
        """Wait until every partition has all its copies, or for a minute."""
        deadline = time.monotonic() + _SYNC_SECONDS
        while time.monotonic() < deadline:
            topics = await admin.describe_topics()
            parts = [part for topic in topics for part in topic["partitions"]]
            if parts and all(
                len(part["isr"]) == len(part["replicas"]) == self.cluster.copies
                and part["leader"] >= 0
                for part in parts
            ):
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        raise TimeoutError("copies of partitions are not in sync")


class _admin:  # noqa: N801 - reads like the function that it stands for
    """A client for as long as the block lasts."""

    def __init__(self, bootstrap: str) -> None:
        self._client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await within(_CLIENT_SECONDS, self._client.start(), "a client to connect")
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await within(_CLIENT_SECONDS, self._client.close(), "a client to disconnect")


async def _replicas(admin: AIOKafkaAdminClient) -> Replicas:
    return {
        (topic["topic"], part["partition"]): list(part["replicas"])
        for topic in await admin.describe_topics()
        for part in topic["partitions"]
    }


async def _reassign(admin: AIOKafkaAdminClient, wanted: Replicas) -> None:
    topics: dict[str, list[tuple[int, list[int], dict[int, bytes]]]] = {}
    for (topic, number), brokers in wanted.items():
        topics.setdefault(topic, []).append((number, brokers, {}))
    request = AlterPartitionReassignmentsRequest(
        _TIMEOUT_MS, [(topic, parts, {}) for topic, parts in topics.items()], {}
    )
    answer = await admin._send_to_controller(request)
    if answer.error_code:
        raise RuntimeError(f"leaders don't move: {answer.error_code} {answer.error_message}")
