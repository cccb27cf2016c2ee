"""Kafka in memory: topics, and groups that rebalance eagerly as the client library does."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from consumer.core.claim import Claim, Standing
from consumer.model import Milliseconds, Offset, Partition, Record


class PartitionLog:
    """The records of one partition; an offset without one is a hole, as compaction leaves."""

    def __init__(self) -> None:
        self.first = Offset(0)
        self.end = Offset(0)
        self.records: dict[Offset, Record] = {}

    def read(self, position: Offset, limit: int) -> tuple[list[Record], Offset]:
        """Up to `limit` records from `position` on, and where to go on."""
        found: list[Record] = []
        number: int = max(position, self.first)
        while number < self.end and len(found) < limit:
            record = self.records.get(Offset(number))
            number += 1
            if record is not None:
                found.append(record)
        return found, Offset(number)


class Member(Protocol):
    """A source as its group sees it."""

    async def give_back(self, *, lost: bool = False) -> None:
        """Give all partitions back."""
        ...

    def receive(self, partitions: Sequence[Partition]) -> None:
        """Take these partitions."""
        ...


class Group:
    """One consumer group of one topic: who is in it, who has what, and what is committed.

    keeps_claims: as the embedded broker does not.
    """

    def __init__(self, partitions: Callable[[], Iterable[Partition]]) -> None:
        self.members: list[Member] = []
        self.committed: dict[Partition, Offset] = {}
        self.claims: dict[Partition, Claim | None] = {}
        self.keeps_claims = True
        self.generation = 0
        self._partitions = partitions
        self._owners: dict[Partition, Member] = {}
        self._lock = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    def commit(self, partition: Partition, standing: Standing) -> None:
        """Note what somebody says who may."""
        self.committed[partition] = standing.offset
        if self.keeps_claims:
            self.claims[partition] = standing.claim

    def standing(self, partition: Partition) -> Standing | None:
        """What is committed, and for whom."""
        offset = self.committed.get(partition)
        return None if offset is None else Standing(offset, self.claims.get(partition))

    async def join(self, member: Member) -> None:
        """Become a member; returns after the rebalance."""
        self.members.append(member)
        await self.rebalance()

    def leave(self, member: Member) -> None:
        """Be a member no longer; the others share what it had, without it waiting for that."""
        self.members.remove(member)
        task = asyncio.ensure_future(self.rebalance())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def rebalance(self) -> None:
        """Everyone gives back everything, then all is assigned anew, where possible as before."""
        async with self._lock:
            await asyncio.gather(*(member.give_back() for member in self.members))
            self.generation += 1
            for member, share in self._shares():
                member.receive(share)

    async def expel(self, member: Member) -> None:
        """Throw a member out, as after a session timeout; it notices and joins again."""
        async with self._lock:
            self.generation += 1
            await member.give_back(lost=True)
        await self.rebalance()

    def _shares(self) -> list[tuple[Member, list[Partition]]]:
        partitions = sorted(self._partitions())
        most = -(-len(partitions) // max(1, len(self.members)))
        shares: list[tuple[Member, list[Partition]]] = [(member, []) for member in self.members]
        homeless: list[Partition] = []
        for partition in partitions:
            owner = self._owners.get(partition)
            share = next((s for m, s in shares if m is owner and len(s) < most), homeless)
            share.append(partition)
        for partition in homeless if shares else ():
            min(shares, key=lambda pair: len(pair[1]))[1].append(partition)
        self._owners = {partition: member for member, share in shares for partition in share}
        return shares


class FakeCluster:
    """Brokers, topics and groups. Timestamps count up from `now_ms`, one millisecond a record.

    writers: who writes for each partition in transactions.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.logs: dict[Partition, PartitionLog] = {}
        self.now_ms = now_ms
        self.writers: dict[Partition, object] = {}
        self._changed = asyncio.Event()
        self._groups: dict[tuple[str, str], Group] = {}

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change; to be taken before looking, and awaited after."""
        return self._changed

    def create(self, topic: str, partitions: int = 1) -> list[Partition]:
        """Make a topic."""
        places = [Partition(topic, number) for number in range(partitions)]
        self.logs.update({place: PartitionLog() for place in places})
        return places

    def partitions(self, topic: str) -> list[Partition]:
        """The partitions of a topic, none when there is no such topic."""
        return [place for place in self.logs if place.topic == topic]

    def group(self, name: str, topic: str) -> Group:
        """The group of this name that reads this topic."""
        return self._groups.setdefault((name, topic), Group(lambda: self.partitions(topic)))

    def append(
        self,
        partition: Partition,
        value: bytes | None,
        key: bytes | None = b"call",
        headers: Iterable[tuple[str, bytes]] = (),
        timestamp: int | None = None,
    ) -> Record:
        """Write a record at the end of a partition."""
        log = self.logs[partition]
        self.now_ms += 1
        stamp = Milliseconds(self.now_ms if timestamp is None else timestamp)
        record = Record(partition, log.end, stamp, key, value, tuple(headers))
        log.records[log.end] = record
        log.end = Offset(log.end + 1)
        self.wake()
        return record

    def skip(self, partition: Partition, offsets: int = 1) -> None:
        """Let offsets pass without a record, as transaction markers do."""
        log = self.logs[partition]
        log.end = Offset(log.end + offsets)
        self.wake()

    def delete(self, partition: Partition, below: int) -> None:
        """Let retention delete all records below an offset."""
        log = self.logs[partition]
        log.first = Offset(below)
        log.records = {offset: r for offset, r in log.records.items() if offset >= below}

    def punch(self, partition: Partition, offset: int) -> None:
        """Let compaction delete one record."""
        del self.logs[partition].records[Offset(offset)]

    def contents(self, partition: Partition) -> list[Record]:
        """All records of a partition."""
        return list(self.logs[partition].records.values())

    def wake(self) -> None:
        """Something has changed: those who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()
