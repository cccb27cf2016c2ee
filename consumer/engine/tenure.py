"""One partition while it is ours: its offsets, its clock, its way out and its marks.

A tenure ends with the assignment. Whatever belongs to an ended one does nothing any more: a late
settle can't move the watermark of whoever has the partition now, not even when that is us again.
"""

from collections.abc import Callable
from enum import StrEnum

from consumer.core.flow import Mark
from consumer.core.idle import PartitionClock
from consumer.core.offsets import Lane, PartitionOffsets
from consumer.engine.kit import Kit
from consumer.engine.outlet import Outlet
from consumer.model import Milliseconds, Offset, Outgoing, Partition


class Phase(StrEnum):
    """RESTORING: its records are not taken yet. STOPPED: too many unusable records.

    LEAVING: no more records are taken, but what was published still settles.
    """

    RESTORING = "restoring"
    LIVE = "live"
    STOPPED = "stopped"
    LEAVING = "leaving"
    ENDED = "ended"


class Tenure:
    """offsets: what may be committed. clock: topic time. committed: the last commit, if any.

    continued: the partition was taken over in mid-log. first_timestamp: of its first record here.
    """

    def __init__(self, partition: Partition, kit: Kit) -> None:
        self.partition = partition
        self.phase = Phase.RESTORING
        self.offsets = PartitionOffsets(Offset(0))
        self.clock = PartitionClock(kit.policies.idle)
        self.outlet = Outlet(kit, f"{partition.topic}/{partition.number}")
        self.committed: Offset | None = None
        self.continued = False
        self.first_timestamp: Milliseconds | None = None
        self.unusable_in_a_row = 0
        self._kit = kit
        flow = kit.policies.flow
        self._backlog = Mark(flow.partition_high, flow.partition_low)
        self._unsettled_limit = flow.unsettled
        self._full = 0

    @property
    def live(self) -> bool:
        """Records are taken."""
        return self.phase is Phase.LIVE

    def begin(self, position: Offset, committed: Offset | None) -> None:
        """Take records from this offset on."""
        self.offsets = PartitionOffsets(position)
        self.committed = committed
        self.continued = committed is not None
        self.phase = Phase.LIVE

    def leave(self) -> None:
        """Take no more records."""
        self.phase = Phase.LEAVING

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
        return (
            self.phase is not Phase.LIVE
            or self._full > 0
            or self._backlog.over
            or self.outlet.full
            or self.crowded
        )

    @property
    def crowded(self) -> bool:
        """Too many of its records wait for their results."""
        return self.offsets.unsettled >= self._unsettled_limit

    @property
    def commitable(self) -> Offset | None:
        """The offset to commit, None when it is committed already."""
        if self.phase in {Phase.RESTORING, Phase.ENDED}:
            return None
        watermark = self.offsets.watermark
        if watermark == self.committed or (self.committed is None and not watermark):
            return None
        return watermark
