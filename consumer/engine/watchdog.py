"""Says how things stand: gauges, and whether the loops still turn.

Liveness asks only whether the poll loop and the event loop turn: an outage of the API shows in
readiness, else it would restart every replica.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import islice

from consumer.core.offsets import PartitionOffsets
from consumer.engine.kit import Kit
from consumer.engine.ownership import Ownership
from consumer.engine.tenure import Phase, Tenure
from consumer.model import Offset, Partition

_INTERVAL = 1.0
_MOMENTS = 600
"""Moments kept per partition to tell how old an offset is."""


class Watchdog:
    """polled: to be called at every turn of the poll loop."""

    def __init__(self, kit: Kit, ownership: Ownership) -> None:
        self._kit = kit
        self._ownership = ownership
        self._polled_at: float | None = None
        self._moments: dict[Partition, deque[tuple[Offset, float]]] = {}
        self._crowded: set[Partition] = set()

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
            if tenure.phase in {Phase.RESTORING, Phase.STOPPED}:
                found.append(f"partition {tenure.partition.number} is {tenure.phase}")
            elif tenure.crowded:
                unsettled = tenure.offsets.unsettled
                found.append(
                    f"partition {tenure.partition.number} waits: {unsettled} records are unsettled"
                )
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
        for holding in holdings:
            for worker in holding.dispatcher:
                worker.report()
        self._warn(holding.tenure for holding in holdings)
        gauge = self._kit.metrics.gauge
        gauge("partitions_owned", len(holdings))
        gauge("partitions_left_out", sum(h.tenure.left_out for h in holdings))
        gauge("partitions_stopped", sum(h.tenure.phase is Phase.STOPPED for h in holdings))
        gauge("sessions_live", sum(len(h.dispatcher) for h in holdings))
        gauge("streams_open", sum(w.session.streaming for h in holdings for w in h.dispatcher))
        gauge("held_bytes", self._kit.held.value)
        gauge("unsettled_records", sum(h.tenure.offsets.unsettled for h in holdings))
        gauge("lag_records", sum(self._lag(h.tenure.partition) for h in holdings))
        ages = [self._age(h.tenure.partition, h.tenure.offsets, now) for h in holdings]
        gauge("oldest_unsettled_seconds", max(ages, default=0.0))
        owned = {h.tenure.partition for h in holdings}
        self._moments = {p: m for p, m in self._moments.items() if p in owned}

    def _warn(self, tenures: Iterable[Tenure]) -> None:
        """Say once of each partition that waits for too many results."""
        crowded = {tenure.partition for tenure in tenures if tenure.crowded}
        for partition in crowded - self._crowded:
            self._kit.log.error(
                "partition waits: too many records are unsettled", partition=partition.number
            )
        self._crowded = crowded

    def _lag(self, partition: Partition) -> int:
        progress = self._kit.source.progress(partition)
        return 0 if progress is None else max(0, progress.end - progress.position)

    def _age(self, partition: Partition, offsets: PartitionOffsets, now: float) -> float:
        """Seconds since the record at the watermark was read, to the second."""
        moments = self._moments.setdefault(partition, deque())
        if not moments or moments[-1][0] != offsets.position:
            moments.append((offsets.position, now))
        watermark = offsets.watermark
        while len(moments) > 1 and moments[0][0] <= watermark:
            moments.popleft()
        if len(moments) > _MOMENTS:  # the oldest must stay, so the grain becomes coarser
            self._moments[partition] = deque(islice(moments, 0, None, 2))
        return 0.0 if watermark >= offsets.position else now - moments[0][1]
