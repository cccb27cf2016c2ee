"""The second reader in memory."""

from collections.abc import Mapping, Sequence

from consumer.errors import LocalProtocolError
from consumer.model import Offset, Partition, Record
from tests.fakes.cluster import FakeCluster
from tests.fakes.script import Script


class FakeReplay:
    """A `ports.Replay` over a fake cluster. Call to plan: read. asked: every call so far."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.script = Script()
        self.asked: list[tuple[Partition, tuple[Offset, ...]]] = []
        self._cluster = cluster
        self._stopped = False

    async def read(
        self, partition: Partition, offsets: Sequence[Offset]
    ) -> Mapping[Offset, Record | None]:
        """The records at these offsets."""
        if self._stopped:
            raise LocalProtocolError("the replay reader is stopped")
        self.asked.append((partition, tuple(offsets)))
        await self.script.play("read")
        records = self._cluster.logs[partition].records
        return {offset: records.get(offset) for offset in offsets}

    async def stop(self) -> None:
        """Disconnect."""
        self._stopped = True
