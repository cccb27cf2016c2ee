"""Which partitions are ours, and how one is taken, kept and given back.

The group's callback only notes what was assigned: no heartbeat runs while it lasts. Each partition
is then taken in a task of its own, and its records are not read before that is done.

The group takes everything back at each rebalance. What comes back and was touched by nobody else
goes on as if nothing had been; what does not is dropped where it stands, because a half-close would
cut an utterance in two that its new owner hears whole.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator

from consumer.core.policy import BackoffPolicy
from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.engine.replayer import Replayer
from consumer.engine.taking import is_untouched, take
from consumer.engine.tenure import Phase
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Partition

_FLUSHING = 0.75
"""The part of the budget for giving back that publishing may take; the rest is for the commit."""


class Ownership:
    """Iterates over what is ours now. joined: the group has given us our share, maybe none."""

    def __init__(self, kit: Kit, replayer: Replayer) -> None:
        self._kit = kit
        self._replayer = replayer
        self._holdings: dict[Partition, Holding] = {}
        self._backoff = BackoffPolicy()
        self._giving_back = asyncio.Lock()
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
        """These are ours now, and no others; they are taken in the background."""
        self.joined = True
        self._kit.metrics.count("rebalances")
        self._drop([holding for holding in self if holding.tenure.partition not in partitions])
        for partition in partitions:
            holding = self._holdings.get(partition)
            if holding is None:
                self._add(partition)
            elif holding.tenure.phase is Phase.SUSPENDED:
                holding.come_back(self._keep(holding))
        if partitions:
            self._kit.log.info("partitions assigned", partitions=_names(partitions))

    async def revoked(self, partitions: Collection[Partition], lost: bool) -> None:
        """These are taken back: publish, settle and commit what is done, within a budget.

        They may be given again, so what is known of them is kept until `assigned` says. A stop
        during a revoke waits for it, or it would cut off what that is about to commit.
        """
        async with self._giving_back:
            await self._give_back(partitions, lost)

    async def _give_back(self, partitions: Collection[Partition], lost: bool) -> None:
        leaving = [h for p in partitions if (h := self._holdings.get(p)) is not None]
        self._drop([h for h in leaving if h.tenure.phase is Phase.RESTORING])
        leaving = [h for h in leaving if h.tenure.phase is not Phase.ENDED]
        fresh = [h for h in leaving if h.tenure.phase is not Phase.SUSPENDED]
        for holding in leaving:
            holding.suspend()
            if lost:
                holding.tenure.outlet.hold()
        try:
            if not lost:
                await self._hand_over(fresh, self._kit.policies.commit.revoke)
        finally:
            for holding in leaving:
                holding.tenure.outlet.hold()
            self._drop([h for h in leaving if h.tenure.claim is None])
        if leaving:
            left = _names(h.tenure.partition for h in leaving)
            self._kit.log.info("partitions given back", partitions=left, lost=lost)

    def abandon(self) -> Collection[Holding]:
        """Let go of everything at once, also of what was assigned while the rest was given back.

        Returns what that was: tasks of an engine that has failed begin nothing any more, not even
        to stop its writers.
        """
        leaving = list(self)
        self._drop(leaving)
        return leaving

    async def commit(self, holdings: Collection[Holding], patience: float | None = None) -> None:
        """Let what these have settled become durable. Raises KafkaFailed.

        patience: seconds to wait for those that are still publishing; they come next time.
        """
        seals = [done for h in holdings if _ours(h) and (done := h.seal()) is not None]
        if seals:
            await asyncio.wait(seals, timeout=patience)
        # What went and came meanwhile may have had another owner, whom this would overrule.
        await self._commit([holding for holding in holdings if _ours(holding)])

    async def _commit(self, holdings: Collection[Holding]) -> None:
        """Commit as a member what is sealed and was not committed within a transaction."""
        standings = {
            holding.tenure.partition: standing
            for holding in holdings
            if (standing := holding.tenure.commitable) is not None
        }
        if not standings:
            return
        began = self._kit.clock.monotonic()
        try:
            await self._kit.source.commit(standings)
        except KafkaFailed:
            self._kit.metrics.count("commit_failures")
            raise
        self._kit.metrics.count("commits")
        self._kit.metrics.observe("commit_seconds", self._kit.clock.monotonic() - began)
        for holding in holdings:
            done = standings.get(holding.tenure.partition)
            if done is not None:
                holding.tenure.commit(done.offset)

    async def _hand_over(self, holdings: Collection[Holding], budget: float) -> None:
        try:
            async with asyncio.timeout(budget):
                await self._flush(holdings, budget * _FLUSHING)
                await self._commit(holdings)
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
        seals = [done for h in holdings if (done := h.seal(final=True)) is not None]
        if not seals:
            return
        _, late = await asyncio.wait(seals, timeout=limit)
        if late:
            self._kit.log.warning(
                "giving back took too long, the rest is read again", seconds=limit
            )

    def _add(self, partition: Partition, attempts: int = 0) -> None:
        holding = Holding(partition, self._kit, self._replayer, attempts)
        self._holdings[partition] = holding
        holding.come(self._take(holding), self._publish(holding))

    def _drop(self, holdings: Iterable[Holding]) -> None:
        for holding in holdings:
            self._holdings.pop(holding.tenure.partition, None)
            holding.close()

    def _retake(self, holding: Holding) -> None:
        """Nothing in memory is trusted any more; what is durable tells how things stand."""
        back = holding.tenure.phase is not Phase.SUSPENDED
        self._drop([holding])
        if back:
            self._add(holding.tenure.partition, holding.attempts + 1)

    async def _publish(self, holding: Holding) -> None:
        """Publish for ever, and begin anew when nobody knows what became of a transaction."""
        try:
            await holding.tenure.outlet.run()
        except KafkaRefused:
            raise
        except KafkaFailed as failure:
            self._kit.metrics.count("partitions_retaken")
            self._kit.log.warning(
                "the fate of a transaction is unknown, taking the partition anew",
                partition=holding.tenure.partition.number,
                error=str(failure),
            )
            self._retake(holding)

    async def _take(self, holding: Holding) -> None:
        """Take it, however often that fails: a rebalance cancels this."""
        if holding.attempts:
            await self._pause(holding)
        while True:
            try:
                await take(holding, self._kit)
            except KafkaRefused:
                raise
            except KafkaFailed as failure:
                await self._try_again("taking a partition failed, trying again", holding, failure)
            else:
                holding.attempts = 0
                return

    async def _keep(self, holding: Holding) -> None:
        """Go on as before if nobody else had it meanwhile, else take it anew."""
        tenure = holding.tenure
        while True:
            try:
                if not await is_untouched(holding, self._kit):
                    break
                self._kit.source.begin(tenure.partition, tenure.offsets.position)
            except KafkaRefused:
                raise
            except KafkaFailed as failure:
                await self._try_again("keeping a partition failed, trying again", holding, failure)
            else:
                tenure.resume()
                self._kit.metrics.count("partitions_kept")
                return
        self._drop([holding])
        self._add(tenure.partition)

    async def _try_again(self, what: str, holding: Holding, failure: KafkaFailed) -> None:
        holding.attempts += 1
        holding.trouble = str(failure)
        self._kit.log.warning(
            what,
            partition=holding.tenure.partition.number,
            error=str(failure),
        )
        await self._pause(holding)

    async def _pause(self, holding: Holding) -> None:
        await asyncio.sleep(self._backoff.pause(holding.name, holding.attempts))


def _ours(holding: Holding) -> bool:
    return holding.tenure.phase in {Phase.LIVE, Phase.STOPPED}


def _names(partitions: "Collection[Partition] | Iterator[Partition]") -> list[str]:
    return sorted(f"{p.topic}/{p.number}" for p in partitions)
