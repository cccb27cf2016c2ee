"""The checkpoint topic in memory."""

from collections.abc import Sequence

from consumer.errors import KafkaRefused
from consumer.model import Partition, Record
from tests.fakes.cluster import FakeCluster
from tests.fakes.script import Script


class FakeCheckpoints:
    """A `ports.Checkpoints` over a fake cluster. Calls to plan: read."""

    def __init__(self, cluster: FakeCluster, topic: str) -> None:
        self.script = Script()
        self._cluster = cluster
        self._topic = topic

    async def read(self, number: int) -> Sequence[Record]:
        """The newest record of every key."""
        await self.script.play("read")
        if Partition(self._topic, number) not in self._cluster.logs:
            raise KafkaRefused(f"{self._topic} has no partition {number}")
        newest: dict[bytes | None, Record] = {}
        for record in self._cluster.contents(Partition(self._topic, number)):
            newest.pop(record.key, None)
            newest[record.key] = record
        return tuple(newest.values())
