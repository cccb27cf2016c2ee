"""Says how things stand: gauges, how each partition is, and whether the loops still turn.

Liveness asks only whether the poll loop and the event loop turn: an outage of the API shows in
readiness, else it would restart every replica.
"""

import asyncio
from collections.abc import Collection, Sequence

from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.engine.ownership import Ownership
from consumer.engine.progress import PartitionProgress, Watch, show_partitions
from consumer.engine.tenure import Phase
from consumer.model import Partition

_INTERVAL = 1.0
_AWAY = {Phase.RESTORING, Phase.STOPPED, Phase.SUSPENDED}


class Watchdog:
    """polled: to be called at every turn of the poll loop. draining: streams come to their OK.
    partitions: how each stood when it was last looked at.
    """

    def __init__(self, kit: Kit, ownership: Ownership) -> None:
        self._kit = kit
        self._ownership = ownership
        self._polled_at: float | None = None
        self._watches: dict[Partition, Watch] = {}
        self._warned: set[tuple[str, int]] = set()
        self.draining = False
        self.partitions: Sequence[PartitionProgress] = ()

    def polled(self) -> None:
        """The poll loop has turned."""
        self._polled_at = self._kit.clock.monotonic()

    @property
    def alive(self) -> bool:
        """The poll loop turns, or has not begun to. A standing event loop can't even answer."""
        at = self._polled_at
        return at is None or self._kit.clock.monotonic() - at < self._kit.policies.stalled

    def troubles(self) -> list[str]:
        """What a person should know, for readiness; empty when all is well."""
        found = []
        if not self._kit.breaker.allows:
            found.append(f"the API: {self._kit.breaker.reason}")
        for holding in self._ownership:
            tenure = holding.tenure
            if tenure.phase in _AWAY:
                why = f": {holding.trouble}" if holding.trouble else ""
                found.append(f"partition {tenure.partition.number} is {tenure.phase}{why}")
            elif tenure.crowded:
                unsettled = tenure.offsets.unsettled
                found.append(
                    f"partition {tenure.partition.number} waits: {unsettled} records are unsettled"
                )
        found += [
            f"partition {each.partition} stands still for {each.still:.0f} s, {each.state}"
            for each in self._standing()
        ]
        if not self._ownership.joined:
            found.append("the consumer group has not let us in yet")
        return found

    async def run(self) -> None:
        """Measure for ever."""
        due = self._kit.clock.monotonic() + _INTERVAL
        while True:
            await asyncio.sleep(_INTERVAL)
            now = self._kit.clock.monotonic()
            self._kit.metrics.gauge("loop_delay_seconds", max(0.0, now - due))
            due = now + _INTERVAL
            self._measure(now)

    def _measure(self, now: float) -> None:
        holdings = list(self._ownership)
        self._look(holdings, now)
        for holding in holdings:
            for worker in holding.dispatcher:
                worker.report()
        gauge = self._kit.metrics.gauge
        partitions = self.partitions
        gauge("partitions_owned", len(holdings))
        gauge("partitions_left_out", sum(h.tenure.left_out for h in holdings))
        gauge("partitions_stopped", sum(h.tenure.phase is Phase.STOPPED for h in holdings))
        gauge("partitions_still", len(self._standing()))
        gauge("sessions_live", sum(each.sessions for each in partitions))
        gauge("streams_open", sum(w.session.streaming for h in holdings for w in h.dispatcher))
        gauge("held_bytes", self._kit.held.value)
        show_partitions(self._kit.metrics, partitions)
        self._warn(holdings)

    def _look(self, holdings: Collection[Holding], now: float) -> None:
        owned = {holding.tenure.partition for holding in holdings}
        self._watches = {p: self._watches.get(p) or Watch(now) for p in owned}
        self.partitions = [
            self._watches[holding.tenure.partition].look(
                holding, self._kit, now, draining=self.draining
            )
            for holding in holdings
        ]

    def _standing(self) -> list[PartitionProgress]:
        """Those that have not moved for long although there is more, or nobody could look."""
        limit = self._kit.policies.stalled
        return [each for each in self.partitions if each.still >= limit]

    def _warn(self, holdings: Collection[Holding]) -> None:
        """Say once of each partition what keeps it, and again when that has passed and returns."""
        crowded = [h.tenure.partition.number for h in holdings if h.tenure.crowded]
        found = {("partition waits: too many records are unsettled", n) for n in crowded}
        found |= {("partition stands still", each.partition) for each in self._standing()}
        for event, number in sorted(found - self._warned):
            self._kit.log.error(event, partition=number)
        self._warned = found
