"""Which offset of a partition may be committed.

Each session has a lane with the offsets of its records and settles it from the front. The watermark
is the lowest offset at the front of any lane, else the position: contiguous settled, never highest
seen. Only received offsets are kept, so gaps in the log cost nothing.
"""

from array import array
from heapq import heapify, heappop, heappush
from typing import NewType

from consumer.errors import LocalProtocolError
from consumer.model import Offset

Lane = NewType("Lane", int)
"""Names one session's records within their partition."""

_SLACK = 512


class _Queue:
    """Ascending offsets, taken from the front."""

    __slots__ = ("head", "offsets")

    def __init__(self) -> None:
        self.offsets = array("q")
        self.head = 0

    @property
    def first(self) -> int | None:
        return self.offsets[self.head] if self.head < len(self.offsets) else None

    def drop(self, below: int) -> int:
        before = self.head
        while self.head < len(self.offsets) and self.offsets[self.head] < below:
            self.head += 1
        dropped = self.head - before
        if self.head == len(self.offsets):
            self.offsets, self.head = array("q"), 0
        elif self.head > _SLACK and self.head * 2 > len(self.offsets):
            del self.offsets[: self.head]
            self.head = 0
        return dropped


class PartitionOffsets:
    """position: offset of the next record to take. unsettled: records that wait."""

    __slots__ = ("_fronts", "_lanes", "_next", "position", "unsettled")

    def __init__(self, position: Offset) -> None:
        self.position = position
        self.unsettled = 0
        self._lanes: dict[Lane, _Queue] = {}
        self._fronts: list[tuple[int, Lane]] = []
        self._next = 0

    def lane(self) -> Lane:
        """Open a lane."""
        lane = Lane(self._next)
        self._next += 1
        return lane

    def track(self, lane: Lane, offset: Offset) -> None:
        """A record was received. Raises LocalProtocolError below the position."""
        if offset < self.position:
            raise LocalProtocolError(f"offset {offset} is below the position {self.position}")
        self.position = Offset(offset + 1)
        self.unsettled += 1
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = _Queue()
        if queue.first is None:
            self._push(offset, lane)
        queue.offsets.append(offset)

    def skip(self, offset: Offset) -> None:
        """A record was received that needs no work: an earlier owner has settled it."""
        self.position = max(self.position, Offset(offset + 1))

    def settle(self, lane: Lane, below: Offset) -> None:
        """All of the lane's records below this offset need no more work."""
        queue = self._lanes.get(lane)
        if queue is None:
            return
        self.unsettled -= queue.drop(below)
        if queue.first is None:
            del self._lanes[lane]
        else:
            self._push(queue.first, lane)

    @property
    def watermark(self) -> Offset:
        """The offset that may be committed: every record below it is settled."""
        while self._fronts:
            offset, lane = self._fronts[0]
            queue = self._lanes.get(lane)
            if queue is not None and queue.first == offset:
                return Offset(offset)
            heappop(self._fronts)
        return self.position

    def _push(self, front: int, lane: Lane) -> None:
        """Note a lane's front. While one lane pins the watermark, others' old fronts pile up."""
        if len(self._fronts) > _SLACK + 2 * len(self._lanes):
            self._fronts = [(q.first, at) for at, q in self._lanes.items() if q.first is not None]
            heapify(self._fronts)
        heappush(self._fronts, (front, lane))
