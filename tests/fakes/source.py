"""The input topic in memory."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from consumer.core.claim import Standing
from consumer.errors import KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition, Record
from consumer.ports import Assigned, Progress, Revoked
from tests.fakes.cluster import FakeCluster
from tests.fakes.script import Script


@dataclass(slots=True)
class _Reading:
    position: Offset | None = None
    end: Offset | None = None
    fetches: int = 0


class FakeSource:
    """A `ports.Source` over a fake cluster.

    Calls to plan: start, poll, vouch, commit, standing, place. limit: records of a partition per
    poll.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        topic: str,
        group: str = "group",
        *,
        start: Literal["earliest", "latest"] = "earliest",
        out_of_range: Literal["stop", "earliest", "latest"] = "stop",
        limit: int = 500,
    ) -> None:
        self.script = Script()
        self.limit = limit
        self.group = cluster.group(group, topic)
        self._cluster = cluster
        self._start = start
        self._out_of_range = out_of_range
        self._readings: dict[Partition, _Reading] = {}
        self._at_rest = asyncio.Event()
        self._failure: Exception | None = None
        self._member = False
        self._lost = False

    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        """Join the group."""
        await self.script.play("start")
        self._assigned, self._revoked = assigned, revoked
        self._member = True
        await self.group.join(self)

    async def poll(
        self, without: Collection[Partition], wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        """Records of begun partitions; {} after `wait` seconds."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        await self.script.play("poll")
        try:
            async with asyncio.timeout(wait):
                found = await self._next(without)
        except TimeoutError:
            found = self._fetch(without)
        self._count(without)
        return found

    async def vouch(self) -> None:
        """Whether the group still has us."""
        await self.script.play("vouch")
        if not self._member or self._lost:
            raise OwnershipLost("the group does not know this member just now")

    async def commit(self, standings: Mapping[Partition, Standing]) -> None:
        """Commit, unless a rebalance came in between."""
        generation = self.group.generation
        readings = [self._owned(partition) for partition in standings]
        await self.script.play("commit")
        now = [self._owned(partition) for partition in standings]
        if self.group.generation != generation or now != readings:
            raise OwnershipLost("the group has rebalanced meanwhile")
        for partition, standing in standings.items():
            self.group.commit(partition, standing)

    async def standing(self, partition: Partition) -> Standing | None:
        """What is committed."""
        await self.script.play("standing")
        return self.group.standing(partition)

    async def place(self, partition: Partition, offset: Offset | None) -> Offset:
        """`offset`, or where the start policy says."""
        await self.script.play("place")
        log = self._cluster.logs[partition]
        if offset is None:
            return log.first if self._start == "earliest" else log.end
        if log.first <= offset <= log.end:
            return offset
        if self._out_of_range == "stop":
            raise KafkaRefused(f"offset {offset} is out of range; set kafka.out_of_range")
        return log.first if self._out_of_range == "earliest" else log.end

    def begin(self, partition: Partition, position: Offset) -> None:
        """Read from here on."""
        self._owned(partition).position = position
        self._cluster.wake()

    def progress(self, partition: Partition) -> Progress | None:
        """Where reading stands; each poll is a fetch."""
        reading = self._readings.get(partition)
        if reading is None or reading.position is None or reading.end is None:
            return None
        return Progress(reading.position, reading.end, reading.fetches)

    async def stop(self) -> None:
        """Leave the group."""
        self._readings.clear()
        if self._member:
            self._member = False
            self.group.leave(self)

    # What the group does with its member.

    async def give_back(self, *, lost: bool = False) -> None:
        """Tell the engine that all partitions go."""
        self._at_rest.clear()
        self._lost = lost
        if not self._readings:
            return
        try:
            await self._revoked(tuple(self._readings), lost)
        except Exception as error:
            self._failure = error
        finally:
            self._readings.clear()
            self._lost = False

    def receive(self, partitions: Sequence[Partition]) -> None:
        """Tell the engine which partitions came."""
        self._readings = {partition: _Reading() for partition in partitions}
        self._at_rest.set()
        try:
            self._assigned(partitions)
        except Exception as error:
            self._failure = error

    def _owned(self, partition: Partition) -> _Reading:
        reading = self._readings.get(partition)
        if reading is None or self._lost:
            raise OwnershipLost(f"{partition} is not ours")
        return reading

    def _wanted(self, without: Collection[Partition]) -> list[tuple[Partition, _Reading]]:
        return [
            (partition, reading)
            for partition, reading in self._readings.items()
            if reading.position is not None and partition not in without
        ]

    async def _next(self, without: Collection[Partition]) -> Mapping[Partition, Sequence[Record]]:
        await self._at_rest.wait()
        while True:
            changed = self._cluster.changed
            if found := self._fetch(without):
                return found
            await changed.wait()

    def _fetch(self, without: Collection[Partition]) -> Mapping[Partition, Sequence[Record]]:
        found: dict[Partition, Sequence[Record]] = {}
        if not self._at_rest.is_set():
            return found
        for partition, reading in self._wanted(without):
            if reading.position is not None:
                records, reading.position = self._cluster.logs[partition].read(
                    reading.position, self.limit
                )
                found |= {partition: records} if records else {}
        return found

    def _count(self, without: Collection[Partition]) -> None:
        for partition, reading in self._wanted(without) if self._at_rest.is_set() else ():
            reading.fetches += 1
            reading.end = self._cluster.logs[partition].end
