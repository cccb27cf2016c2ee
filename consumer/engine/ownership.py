"""Which partitions are ours, and how one is taken and given back.

The group's callback only notes what was assigned: no heartbeat runs while it lasts. Each partition
is then taken in a task of its own, and its records are not read before that is done.
"""

import asyncio
from collections.abc import Collection, Iterator

from consumer.core.policy import BackoffPolicy
from consumer.engine.dispatcher import Dispatcher
from consumer.engine.kit import Kit
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Tenure
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Offset, Partition

_FLUSHING = 0.75
"""The part of the budget for giving back that publishing may take; the rest is for the commit."""


class Holding:
    """A partition of ours with its sessions and its tasks."""

    def __init__(self, tenure: Tenure, kit: Kit, replayer: Replayer) -> None:
        self.tenure = tenure
        self.dispatcher = Dispatcher(tenure, kit, replayer)
        self.tasks: list[asyncio.Task[None]] = []

    def close(self) -> None:
        """It is not ours any more."""
        self.tenure.close()
        for task in self.tasks:
            task.cancel()


class Ownership:
    """Iterates over what is ours now. joined: the group has given us our share, maybe none."""

    def __init__(self, kit: Kit, replayer: Replayer) -> None:
        self._kit = kit
        self._replayer = replayer
        self._holdings: dict[Partition, Holding] = {}
        self._backoff = BackoffPolicy()
        self.joined = False

    def __iter__(self) -> Iterator[Holding]:
        """All holdings."""
        return iter(list(self._holdings.values()))

    def __len__(self) -> int:
        """Partitions assigned."""
        return len(self._holdings)

    def get(self, partition: Partition) -> Holding | None:
        """The holding of this partition."""
        return self._holdings.get(partition)

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These are ours now; they are taken in the background."""
        self.joined = True
        for partition in partitions:
            if partition in self._holdings:
                continue
            holding = Holding(Tenure(partition, self._kit), self._kit, self._replayer)
            self._holdings[partition] = holding
            name = f"{partition.topic}/{partition.number}"
            holding.tasks.append(self._kit.spawn(self._take(holding), f"take {name}"))
            publish = holding.tenure.outlet.run()
            holding.tasks.append(self._kit.spawn(publish, f"outlet {name}"))
        if partitions:
            self._kit.log.info("partitions assigned", partitions=_names(partitions))

    async def revoked(self, partitions: Collection[Partition], lost: bool) -> None:
        """These are to be given back: publish, settle and commit what is done, within a budget."""
        leaving = [h for p in partitions if (h := self._holdings.pop(p, None)) is not None]
        for holding in leaving:
            holding.tenure.leave()
            holding.dispatcher.drop()
        try:
            if not lost:
                await self._hand_over(leaving, self._kit.policies.commit.revoke)
        finally:
            for holding in leaving:
                holding.close()
        if leaving:
            left = _names(h.tenure.partition for h in leaving)
            self._kit.log.info("partitions given back", partitions=left, lost=lost)

    def abandon(self) -> None:
        """Let go of everything at once, also of what was assigned while the rest was given back."""
        for holding in self:
            holding.dispatcher.drop()
            holding.close()
        self._holdings.clear()

    async def commit(self, holdings: Collection[Holding]) -> None:
        """Commit what these have settled. Raises KafkaFailed."""
        offsets: dict[Partition, Offset] = {}
        for holding in holdings:
            offset = holding.tenure.commitable
            if offset is not None:
                offsets[holding.tenure.partition] = offset
        if not offsets:
            return
        try:
            await self._kit.source.commit(offsets)
        except KafkaFailed:
            self._kit.metrics.count("commit_failures")
            raise
        self._kit.metrics.count("commits")
        for holding in holdings:
            done = offsets.get(holding.tenure.partition)
            if done is not None:
                holding.tenure.committed = done

    async def _hand_over(self, holdings: Collection[Holding], budget: float) -> None:
        try:
            async with asyncio.timeout(budget):
                await self._flush(holdings, budget * _FLUSHING)
                await self.commit(holdings)
        except TimeoutError:
            self._kit.log.warning(
                "the last commit took too long, the rest is read again", seconds=budget
            )
        except KafkaFailed as failure:
            self._kit.log.warning(
                "the last commit failed, the rest is read again", error=str(failure)
            )

    async def _flush(self, holdings: Collection[Holding], limit: float) -> None:
        """Publish what waits; where that takes too long, the others' offsets still count."""
        try:
            async with asyncio.timeout(limit):
                await asyncio.gather(*(h.tenure.outlet.flushed() for h in holdings))
        except TimeoutError:
            self._kit.log.warning(
                "giving back took too long, the rest is read again", seconds=limit
            )

    async def _take(self, holding: Holding) -> None:
        partition = holding.tenure.partition
        attempt = 0
        while True:
            try:
                committed = await self._kit.source.committed(partition)
                position = await self._kit.source.begin(partition, committed)
            except KafkaRefused:
                raise
            except KafkaFailed as failure:
                attempt += 1
                self._kit.log.warning(
                    "taking a partition failed, trying again",
                    partition=partition.number,
                    error=str(failure),
                )
                await asyncio.sleep(self._backoff.pause(str(partition), attempt))
            else:
                holding.tenure.begin(position, committed)
                return


def _names(partitions: "Collection[Partition] | Iterator[Partition]") -> list[str]:
    return sorted(f"{p.topic}/{p.number}" for p in partitions)
