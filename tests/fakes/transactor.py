"""Transactions in memory."""

import asyncio

from consumer.core.claim import Standing
from consumer.errors import KafkaFailed, LocalProtocolError, OwnershipLost, RecordTooLarge
from consumer.model import Outgoing, Partition
from tests.fakes.cluster import FakeCluster, Group
from tests.fakes.script import Script


class FakeTransactor:
    """A `ports.Transactor` over a fake cluster.

    Calls to plan: start, begin, send, commit. Readers see nothing of a transaction before its
    commit. lost: the next commit is done, but its answer never comes. sent: all that was committed.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        group: Group,
        partition: Partition,
        *,
        script: Script | None = None,
        max_record_bytes: int = 1 << 20,
    ) -> None:
        self.script = script or Script()
        self.sent: list[Outgoing] = []
        self.lost = False
        self._cluster = cluster
        self._group = group
        self._partition = partition
        self._max_record_bytes = max_record_bytes
        self._open: list[Outgoing] | None = None
        self._started = False
        self._ended = False

    @property
    def connected(self) -> bool:
        """It was started and not stopped."""
        return self._started

    async def start(self) -> None:
        """Shut out whoever wrote for this partition before."""
        await self.script.play("start")
        self._cluster.writers[self._partition] = self
        self._started, self._ended, self._open = True, False, None

    async def begin(self) -> None:
        """Open a transaction."""
        self._check()
        await self.script.play("begin")
        if self._open is not None:
            raise LocalProtocolError("a transaction is open already")
        self._open = []

    async def send(self, record: Outgoing) -> "asyncio.Future[None]":
        """Hand a record over."""
        self._check()
        await self.script.play("send")
        if self._open is None:
            raise KafkaFailed("no transaction is open")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(record.value or b"") > self._max_record_bytes:
            written.set_exception(RecordTooLarge(f"a record for {record.topic} is too large"))
        else:
            self._open.append(record)
            asyncio.get_running_loop().call_soon(self._acknowledge, written)
        return written

    async def commit(self, standing: Standing) -> None:
        """Commit records and offset at once."""
        self._check()
        records, self._open = self._open, None
        if records is None:
            raise KafkaFailed("no transaction is open")
        try:
            await self.script.play("commit")
            self._check()
        except KafkaFailed:
            self._ended = True
            raise
        for record in records:
            place = Partition(record.topic, record.partition or 0)
            self._cluster.append(place, record.value, record.key, record.headers)
        self.sent += records
        self._group.commit(self._partition, standing)
        if self.lost:
            self._ended = True
            raise KafkaFailed("no answer in time")

    async def stop(self) -> None:
        """An open transaction is never seen."""
        self._started = False
        self._open = None

    def _acknowledge(self, written: "asyncio.Future[None]") -> None:
        if written.done():
            return
        if self._cluster.writers.get(self._partition) is self:
            written.set_result(None)
        else:
            written.set_exception(OwnershipLost("another writes for this partition"))

    def _check(self) -> None:
        if not self._started:
            raise LocalProtocolError("the transactor was not started or is stopped")
        if self._ended:
            raise KafkaFailed("the transactor has ended")
        if self._cluster.writers.get(self._partition) is not self:
            raise OwnershipLost("another writes for this partition")
