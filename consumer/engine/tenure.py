"""One partition while it is ours: its offsets, its clock, its way out and its marks.

A tenure ends with the ownership. Whatever belongs to an ended one does nothing any more: a late
settle can't move the watermark of whoever has the partition now, not even when that is us again.
"""

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum

from consumer.core.claim import Claim, Standing
from consumer.core.flow import Mark
from consumer.core.idle import PartitionClock
from consumer.core.offsets import Lane, PartitionOffsets
from consumer.engine.journal import LOOSE_MOST, Journal
from consumer.engine.kit import Kit
from consumer.engine.outlet import Outlet, Seal, Writer
from consumer.model import Milliseconds, Offset, Outgoing, Partition, SessionKey


class Phase(StrEnum):
    """RESTORING: its records are not taken yet. STOPPED: too many unusable records.

    SUSPENDED: the group has taken it back and may give it again; no more records are taken, and
    what was published before still settles.
    """

    RESTORING = "restoring"
    LIVE = "live"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Tenure:
    """offsets: what may be committed. clock: topic time. claim: ours, where the brokers keep one.
    journal: of the checkpoints, only with a claim. sealed: how far all is written. committed: the
    last commit, if any.

    continued: the partition was taken over in mid-log, and nobody has left word of its calls.
    first_timestamp: of its first record here.
    """

    def __init__(self, partition: Partition, kit: Kit, writer: Writer) -> None:
        self.partition = partition
        self.phase = Phase.RESTORING
        self.offsets = PartitionOffsets(Offset(0))
        self.clock = PartitionClock(kit.policies.idle)
        self.outlet = Outlet(writer)
        self.claim: Claim | None = None
        self.journal: Journal | None = None
        self.sealed: Standing | None = None
        self.committed: Offset | None = None
        self.lettered: set[Offset] = set()
        self.continued = False
        self.first_timestamp: Milliseconds | None = None
        self.unusable_in_a_row = 0
        self._before = Phase.RESTORING
        self._kit = kit
        flow = kit.policies.flow
        self._backlog = Mark(flow.partition_high, flow.partition_low)
        self._unsettled_limit = flow.unsettled
        self._full = 0

    @property
    def live(self) -> bool:
        """Records are taken."""
        return self.phase is Phase.LIVE

    def begin(
        self,
        position: Offset,
        committed: Offset | None,
        claim: Claim | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Take records from this offset on."""
        self.offsets = PartitionOffsets(position)
        self.committed = committed
        self.claim, self.journal = claim, journal
        if journal is not None:
            self.lettered = journal.lettered
        self.phase = Phase.LIVE

    def suspend(self) -> None:
        """Take no more records, and let those wait who would publish."""
        self._before, self.phase = self.phase, Phase.SUSPENDED
        self.outlet.shut()

    def resume(self) -> None:
        """It came back, and nobody else has touched it."""
        self.phase = self._before
        self.outlet.resume()

    def close(self) -> None:
        """It is not ours any more."""
        self.phase = Phase.ENDED

    def put(self, record: Outgoing) -> None:
        """Publish a record."""
        self.outlet.put(record)

    def then(self, done: Callable[[], None]) -> None:
        """Call this once what was put before is acknowledged."""
        self.outlet.then(done)

    async def room(self) -> None:
        """Wait until more may be published."""
        await self.outlet.room()

    def settle(self, lane: Lane, below: Offset) -> None:
        """Settle the lane's offsets once what was put before is acknowledged."""
        self.outlet.then(lambda: self._settled(lane, below))

    def reject(self, offset: Offset, letter: Outgoing) -> None:
        """Dead-letter a record that is no session's."""
        lane = self.offsets.lane()
        self.offsets.track(lane, offset)
        self.put(letter)
        if self.journal is not None:
            self.journal.loose.add(offset)
        self.settle(lane, Offset(offset + 1))

    def knows(self, offset: Offset) -> bool:
        """An earlier owner has settled this record, and it is no session's."""
        return self.journal is not None and offset in self.journal.loose

    def ended(self, key: SessionKey, last: Offset) -> None:
        """A session is over; `last` is its newest record."""
        if self.journal is not None:
            self.journal.ended(key, last)

    def seal(self, records: Iterable[Outgoing], *, final: bool = False) -> "asyncio.Future[None]":
        """Write these after all that was put before, then stand by the offset that results.

        final: nothing more goes out after it. The future is cancelled when it can't be done.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.outlet.barrier()
        for record in records:
            self._kit.metrics.count("checkpoints_written")
            self.outlet.put(record)
        self.outlet.seal(Seal(self._standing, self._seal, done, final))
        return done

    @property
    def unsealed(self) -> bool:
        """Something has happened since the last seal."""
        return self.outlet.touched or (
            self.sealed is not None and self.offsets.watermark != self.sealed.offset
        )

    def commit(self, offset: Offset) -> None:
        """This offset is committed, and that is acknowledged."""
        self.committed = offset
        if self.journal is not None:
            self.journal.committed(offset)

    def _standing(self) -> Standing:
        return Standing(self.offsets.watermark, self.claim)

    def _seal(self, standing: Standing) -> None:
        self.sealed = standing
        if self._kit.transactor is not None:
            self.commit(standing.offset)

    def _settled(self, lane: Lane, below: Offset) -> None:
        if self.phase is Phase.ENDED:
            self._kit.metrics.count("settle_late")
        else:
            self.offsets.settle(lane, below)

    def weigh(self, backlog: int, held: int) -> None:
        """A session's bytes have changed by this much."""
        self._backlog.add(backlog)
        self._kit.backlog.add(backlog)
        self._kit.held.add(held)

    def fill(self, sessions: int) -> None:
        """So many more sessions have enough to catch up with, or fewer."""
        self._full += sessions

    @property
    def left_out(self) -> bool:
        """Its records should not be fetched now."""
        return self.phase is not Phase.LIVE or bool(self.held_back)

    @property
    def held_back(self) -> str:
        """Which mark keeps it from the fetch, in words; empty for none."""
        if self._full > 0:
            return "sessions have enough to catch up with"
        if self._backlog.over:
            return "too much audio waits for streams"
        if self.outlet.full:
            return "too much waits to be published"
        if self.crowded:
            return "too many records are unsettled"
        return ""

    @property
    def crowded(self) -> bool:
        """Too many of its records wait for their results, or for those of others."""
        if self.journal is not None and len(self.journal.loose) >= LOOSE_MOST:
            return True
        return self.offsets.unsettled >= self._unsettled_limit

    @property
    def commitable(self) -> Standing | None:
        """What to commit as a member of the group, None when it is committed already."""
        if self.phase in {Phase.RESTORING, Phase.ENDED} or self.sealed is None:
            return None
        offset = self.sealed.offset
        if offset == self.committed or (self.committed is None and not offset):
            return None
        return self.sealed
