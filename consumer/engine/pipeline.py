"""The straight line: poll, decode, route. Never waits for one session and never stops polling."""

import asyncio
from collections.abc import Sequence

from consumer.codec.letters import encode_letter
from consumer.codec.records import decode_chunk
from consumer.engine.committer import commit_for_ever
from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.engine.ownership import Ownership
from consumer.engine.prober import probe_for_ever
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Phase
from consumer.engine.unless import unless
from consumer.engine.watchdog import Watchdog
from consumer.errors import KafkaFailed, KafkaRefused, RecordError
from consumer.model import DeadLetter, Milliseconds, Partition, Record

_SLICE = 64
"""Records taken before the pumps get a turn."""
_DRAIN_LOOK = 0.05
_LEAVING = 0.1
"""The part of the time for stopping that leaving the brokers may take after all else."""
_CALM_WAIT = 1.0
"""Seconds that a poll may wait while every partition is read: records end it anyway, and to wake up
for nothing costs more than anything else that an idle process does.
"""
_LOOK = 1.0
"""Seconds between looks for sessions that are over without a word. A look that is late finds a
session idle late, never early: what a partition had to give is dated by the look before.
"""


class Pipeline:
    """Runs until `stop`, then hands over what it has. watchdog: how things stand. stopping: set by
    whoever wants it to stop.
    """

    def __init__(self, kit: Kit, stopping: asyncio.Event | None = None) -> None:
        self._kit = kit
        replayer = Replayer(kit)
        self._replayer = replayer
        self.ownership = Ownership(kit, replayer)
        self.watchdog = Watchdog(kit, self.ownership)
        self._stopping = asyncio.Event() if stopping is None else stopping
        self._looked_at = 0.0

    def stop(self) -> None:
        """Take no more records."""
        self._stopping.set()

    async def run(self) -> None:
        """Join the group and work until `stop`. Raises KafkaRefused.

        However it ends, the group is left and nothing is ours any more.
        """
        kit = self._kit
        try:
            # Whom the group has not let in yet, because it waits for another member, has nothing.
            joining = kit.source.start(self.ownership.assigned, self.ownership.revoked)
            if not await unless(self._stopping, joining):
                return
            await self._work()
            owned = [holding.tenure.partition for holding in self.ownership]
            await self.ownership.revoked(owned, False)
        finally:
            left = self.ownership.abandon()
            try:
                await kit.source.stop()
            finally:
                await asyncio.gather(*(holding.writer.stop() for holding in left))

    async def _work(self) -> None:
        kit = self._kit
        helpers = [
            kit.spawn(self._replayer.run(), "replayer"),
            kit.spawn(commit_for_ever(kit, self.ownership), "committer"),
            kit.spawn(probe_for_ever(kit, self.ownership), "prober"),
            kit.spawn(self.watchdog.run(), "watchdog"),
        ]
        try:
            while not self._stopping.is_set():
                await self._turn()
            await self._drain()
        finally:
            for helper in helpers:
                helper.cancel()

    async def _turn(self) -> None:
        left_out = self._left_out()
        try:
            batches = await self._kit.source.poll(left_out, self._wait(left_out))
        except KafkaRefused:
            raise
        except KafkaFailed as failure:
            self._kit.log.warning("polling failed, trying again", error=str(failure))
            await asyncio.sleep(self._kit.policies.commit.poll)
            return
        self.watchdog.polled()
        # Between two batches a partition may go and come back; old records are not for its new
        # tenure, so the holdings are looked up before anything is waited for.
        for holding, records in [(self.ownership.get(p), r) for p, r in batches.items()]:
            if holding is not None:
                await self._take_all(holding, records)
        now = self._kit.clock.monotonic()
        if now - self._looked_at >= _LOOK:
            self._looked_at = now
            self._look(left_out, now)

    def _wait(self, left_out: set[Partition]) -> float:
        """Seconds that a poll may wait: short while a partition may have to be let in meanwhile."""
        quick = self._kit.policies.commit.poll
        calm = not left_out and all(h.tenure.phase is Phase.LIVE for h in self.ownership)
        return max(quick, _CALM_WAIT) if calm else quick

    def _left_out(self) -> set[Partition]:
        everything = self._kit.backlog.over
        return {
            holding.tenure.partition
            for holding in self.ownership
            if everything or holding.tenure.left_out
        }

    async def _take_all(self, holding: Holding, records: Sequence[Record]) -> None:
        wall_ms, metrics = self._kit.clock.wall_ms(), self._kit.metrics
        for first in range(0, len(records), _SLICE):
            if first:
                await asyncio.sleep(0)
            taken = [r for r in records[first : first + _SLICE] if self._take(holding, r, wall_ms)]
            metrics.count("records_consumed", len(taken))
            metrics.count("bytes_consumed", sum(len(record.value or b"") for record in taken))

    def _take(self, holding: Holding, record: Record, wall_ms: Milliseconds) -> bool:
        """Hand a record to its session or the dead letters; returns whether it was new."""
        tenure = holding.tenure
        if tenure.phase is not Phase.LIVE:
            return False
        if record.offset < tenure.offsets.position:
            self._kit.metrics.count("records_skipped")
            return False
        if tenure.knows(record.offset) or holding.dispatcher.settled(record):
            tenure.offsets.skip(record.offset)
            self._kit.metrics.count("records_skipped")
            return False
        try:
            chunk = decode_chunk(record, self._kit.defaults)
        except RecordError as error:
            self._reject(holding, record, error)
            return True
        tenure.unusable_in_a_row = 0
        holding.dispatcher.route(record, chunk, wall_ms)
        return True

    def _reject(self, holding: Holding, record: Record, error: RecordError) -> None:
        """Dead-letter a record that nobody understands; a mass of them stops the partition."""
        tenure = holding.tenure
        tenure.unusable_in_a_row += 1
        limit = self._kit.policies.flow.dead_letters
        if tenure.unusable_in_a_row > limit:
            tenure.phase = Phase.STOPPED
            self._kit.log.error(
                "partition stopped: too many unusable records in a row",
                partition=tenure.partition.number,
                records=limit,
                reason=error.reason,
            )
            return
        self._kit.metrics.count("dead_letters", 1, error.reason)
        letter = DeadLetter(
            partition=record.partition,
            offset=record.offset,
            reason=error.reason,
            detail=error.detail,
            key=record.key,
            record=record,
        )
        tenure.reject(record.offset, encode_letter(letter, self._kit.dead_letter_topic))

    def _look(self, left_out: set[Partition], now: float) -> None:
        """See which partitions have nothing more to give, and which sessions that ends."""
        for holding in self.ownership:
            partition, clock = holding.tenure.partition, holding.tenure.clock
            progress = self._kit.source.progress(partition)
            if progress is None or partition in left_out:
                clock.unread()
            else:
                at_end = progress.position >= progress.end
                clock.look(progress.fetches, now, at_end=at_end)
        for holding in self.ownership:
            holding.dispatcher.end_idle()

    async def _drain(self) -> None:
        """Bring all streams to their OK, if that is wanted and as long as there is time."""
        policy = self._kit.policies.commit
        if not policy.drain:
            return
        self.watchdog.draining = True
        for holding in self.ownership:
            holding.dispatcher.drain()
        try:
            seconds = policy.shutdown * (1 - _LEAVING) - policy.revoke
            async with asyncio.timeout(max(0.0, seconds)):
                while any(h.dispatcher.streaming for h in self.ownership):
                    self.watchdog.polled()
                    await asyncio.sleep(_DRAIN_LOOK)
        except TimeoutError:
            self._kit.log.warning("draining took too long, the rest is read again")
