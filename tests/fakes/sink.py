"""The output topics in memory."""

import asyncio
import zlib
from collections import deque

from consumer.errors import KafkaFailed, KafkaRefused, LocalProtocolError, RecordTooLarge
from consumer.model import Outgoing, Partition
from tests.fakes.cluster import FakeCluster
from tests.fakes.script import Script


class FakeSink:
    """A `ports.Sink` over a fake cluster.

    Calls to plan: start, send. Records are acknowledged soon and in order, unless `hold` keeps
    them; `release` acknowledges, `refuse` fails what is held. sent: all acknowledged so far.
    capacity: unacknowledged records beyond which `send` waits.
    """

    def __init__(
        self, cluster: FakeCluster, *, capacity: int = 1000, max_record_bytes: int = 1 << 20
    ) -> None:
        self.script = Script()
        self.sent: list[Outgoing] = []
        self.held: deque[tuple[Outgoing, asyncio.Future[None]]] = deque()
        self._cluster = cluster
        self._capacity = capacity
        self._max_record_bytes = max_record_bytes
        self._holding = False
        self._started = False
        self._room = asyncio.Event()

    async def start(self) -> None:
        """Connect."""
        await self.script.play("start")
        self._started = True

    async def send(self, record: Outgoing) -> "asyncio.Future[None]":
        """Hand a record over; the future ends with its acknowledgement."""
        if not self._started:
            raise LocalProtocolError("the sink was not started or is stopped")
        await self.script.play("send")
        while len(self.held) >= self._capacity:
            self._room.clear()
            await self._room.wait()
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refusal = self._refusal(record)
        if refusal is not None:
            written.set_exception(refusal)
            return written
        self.held.append((record, written))
        if not self._holding:
            asyncio.get_running_loop().call_soon(self._acknowledge, 1)
        return written

    async def stop(self) -> None:
        """Flush and disconnect."""
        self.release()
        self._started = False

    def hold(self) -> None:
        """Acknowledge nothing from now on."""
        self._holding = True

    def release(self) -> None:
        """Acknowledge what is held, and all that follows."""
        self._holding = False
        self._acknowledge(len(self.held))

    def refuse(self, error: KafkaFailed) -> None:
        """Fail what is held."""
        while self.held:
            _, written = self.held.popleft()
            if not written.done():
                written.set_exception(error)
        self._room.set()

    def _acknowledge(self, records: int) -> None:
        for _ in range(records):
            if self._holding or not self.held:
                return
            record, written = self.held.popleft()
            place = self._place(record)
            self._cluster.append(place, record.value, record.key, record.headers)
            self.sent.append(record)
            if not written.done():
                written.set_result(None)
        self._room.set()

    def _refusal(self, record: Outgoing) -> KafkaFailed | None:
        if self._place(record) not in self._cluster.logs:
            return KafkaRefused(f"{record.topic} has no partition {record.partition}")
        if len(record.value or b"") > self._max_record_bytes:
            return RecordTooLarge(f"a record for {record.topic} is too large")
        return None

    def _place(self, record: Outgoing) -> Partition:
        if record.partition is not None:
            return Partition(record.topic, record.partition)
        partitions = max(1, len(self._cluster.partitions(record.topic)))
        return Partition(record.topic, zlib.crc32(record.key or b"") % partitions)
