"""How one partition stands, and why, in a word and a sentence.

Whatever keeps a partition from moving has a state here, and one that does not move although there
is something to read is said to stand still, for whatever reason: nobody should learn of it from a
lag that grows in silence.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from consumer.core.offsets import PartitionOffsets
from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.engine.tenure import Phase
from consumer.measures import MetricName
from consumer.model import Milliseconds, Offset
from consumer.ports import Labels, Metrics

_MOMENTS = 600
"""Moments kept per partition to tell how old an offset is."""
_PHASES = {
    Phase.RESTORING: ("restoring", "it is being taken over"),
    Phase.SUSPENDED: ("suspended", "the group rebalances"),
    Phase.STOPPED: ("stopped", "too many unusable records in a row"),
    Phase.ENDED: ("ended", "it is not ours any more"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProgress:
    """state: restoring, live, parked, held back, draining, suspended, stopped. position: the next
    record to take. end: of the partition as last seen, None when nobody has looked. lag: records
    from what was handed out to there. behind: seconds since the newest record that was taken was
    written, while there are more. oldest: seconds that the oldest unsettled record has waited.
    still: seconds without a step although the partition has more.
    """

    partition: int
    state: str
    reason: str
    position: Offset
    end: Offset | None
    committed: Offset | None
    epoch: int | None
    sessions: int
    lag: int
    behind: float
    unsettled: int
    oldest: float
    still: float


def state_of(holding: Holding, kit: Kit, *, draining: bool) -> tuple[str, str]:
    """The state and its reason; empty for a partition that simply works."""
    tenure = holding.tenure
    if tenure.phase is Phase.RESTORING and holding.trouble:
        return "restoring", holding.trouble
    if tenure.phase in _PHASES:
        return _PHASES[tenure.phase]
    if draining:
        return "draining", "the service stops, streams come to their OK"
    if not kit.breaker.allows:
        return "parked", f"the API: {kit.breaker.reason}"
    reason = tenure.held_back or ("the process holds too much audio" if kit.backlog.over else "")
    return ("held back", reason) if reason else ("live", "")


def show_partitions(metrics: Metrics, partitions: Sequence[PartitionProgress]) -> None:
    """Bring these into the gauges; partitions that are not among them are gone from there."""

    def show(name: MetricName, values: Sequence[float], total: float) -> None:
        labels = [(str(each.partition),) for each in partitions]
        metrics.gauges(name, total, dict(zip(labels, values, strict=True)))

    lags, unsettled = [each.lag for each in partitions], [each.unsettled for each in partitions]
    show("lag_records", lags, sum(lags))
    show("unsettled_records", unsettled, sum(unsettled))
    ages, behind = [each.oldest for each in partitions], [each.behind for each in partitions]
    show("oldest_unsettled_seconds", ages, max(ages, default=0.0))
    show("lag_seconds", behind, max(behind, default=0.0))
    show("position_offset", [each.position for each in partitions], 0)
    known: dict[Labels, float] = {
        (str(p.partition),): p.committed for p in partitions if p.committed is not None
    }
    metrics.gauges("committed_offset", 0, known)
    states: dict[Labels, float] = {(str(p.partition), p.state): 1.0 for p in partitions}
    metrics.gauges("partition_state", len(states), states)


class Watch:
    """What has to be remembered of one partition to tell how old its oldest record is, and since
    when it has not moved.
    """

    def __init__(self, now: float) -> None:
        self._moments: deque[tuple[Offset, float]] = deque()
        self._position = Offset(-1)
        self._since = now

    def look(self, holding: Holding, kit: Kit, now: float, *, draining: bool) -> PartitionProgress:
        """How the partition stands at this moment."""
        tenure = holding.tenure
        offsets = tenure.offsets
        read = kit.source.progress(tenure.partition)
        end = None if read is None else read.end
        lag = 0 if read is None else max(0, read.end - read.position)
        state, reason = state_of(holding, kit, draining=draining)
        return PartitionProgress(
            partition=tenure.partition.number,
            state=state,
            reason=reason,
            position=offsets.position,
            end=end,
            committed=tenure.committed,
            epoch=tenure.claim.epoch if tenure.claim else None,
            sessions=len(holding.dispatcher),
            unsettled=offsets.unsettled,
            oldest=self._age(offsets, now),
            lag=lag,
            behind=_behind(tenure.clock.topic_time, kit.clock.wall_ms()) if lag else 0.0,
            # What is left out of the fetch is not looked at either.
            still=self._still(offsets.position, None if tenure.left_out else end, now),
        )

    def _still(self, position: Offset, end: Offset | None, now: float) -> float:
        """Seconds of standing still. Where nobody could look, there may be more records."""
        if position != self._position or (end is not None and position >= end):
            self._position, self._since = position, now
        return now - self._since

    def _age(self, offsets: PartitionOffsets, now: float) -> float:
        """Seconds since the record at the watermark was read, to the second."""
        moments = self._moments
        if not moments or moments[-1][0] != offsets.position:
            moments.append((offsets.position, now))
        watermark = offsets.watermark
        while len(moments) > 1 and moments[0][0] <= watermark:
            moments.popleft()
        if len(moments) > _MOMENTS:  # the oldest must stay, so the grain becomes coarser
            self._moments = deque(islice(moments, 0, None, 2))
        return 0.0 if watermark >= offsets.position else now - moments[0][1]


def _behind(newest: Milliseconds, now: Milliseconds) -> float:
    return 0.0 if newest < 0 else max(0, now - newest) / 1000
