"""A session's unsettled audio: which record holds which call frames, and the bytes still held.

Every record is one piece, kept in three compact arrays from the oldest unsettled one on. The bytes
of a piece may be forgotten, since Kafka still has them; its place never is. Silence put in for
missing chunks belongs to the piece after the gap, so every frame has exactly one record.
"""

from array import array
from bisect import bisect_left, bisect_right

from consumer.errors import LocalProtocolError
from consumer.model import BYTES_PER_FRAME, Frames, Milliseconds, Offset

_SLACK = 512
"""Settled pieces that may lie before the head until the arrays are cut."""


class Tape:
    """Pieces in offset order; all frames are call frames.

    held: bytes in memory. end: the frame after the newest audio.
    """

    __slots__ = ("_audio", "_captured", "_ends", "_fill", "_head", "_kept", "_offsets", "_open",
                 "_origin", "end", "held")  # fmt: skip

    def __init__(self, origin: int = 0) -> None:
        """origin: the first frame of what comes."""
        self._offsets = array("q")
        self._ends = array("q")
        self._captured = array("q")
        self._audio: list[bytes | None] = []
        self._head = 0
        self._kept = 0
        self._origin = origin
        self._open: set[int] = set()
        self._fill: dict[int, int] = {}
        self.held = 0
        self.end = Frames(origin)

    def __len__(self) -> int:
        """Unsettled pieces."""
        return len(self._offsets) - self._head

    @property
    def first(self) -> tuple[Offset, Frames] | None:
        """The oldest unsettled record and its first frame."""
        if self._head == len(self._offsets):
            return None
        return Offset(self._offsets[self._head]), Frames(self._begin(self._head))

    @property
    def last(self) -> Offset | None:
        """The newest record."""
        return Offset(self._offsets[-1]) if self._offsets else None

    def append(
        self,
        offset: Offset,
        frames: int,
        audio: bytes | None,
        captured: Milliseconds,
        *,
        is_open: bool = False,
        fill: int = 0,
    ) -> None:
        """Add the next record: its frames in all, `fill` of them silence in front, and its bytes
        unless they are forgotten at once. is_open: it is needed until a later frame is settled.

        Raises LocalProtocolError when the offset doesn't grow.
        """
        if self._offsets and offset <= self._offsets[-1]:
            raise LocalProtocolError(f"offset {offset} after {self._offsets[-1]}")
        self.end = Frames(self.end + frames)
        self._ends.append(self.end)
        self._offsets.append(offset)
        self._captured.append(captured)
        self._audio.append(audio if frames else b"")
        if audio and frames:
            self.held += len(audio)
        if is_open:
            self._open.add(offset)
        if fill:
            self._fill[offset] = fill

    def fill_of(self, offset: Offset) -> int:
        """Frames of silence in front of this record's own audio."""
        return self._fill.get(offset, 0)

    def frames_of(self, offset: Offset) -> int | None:
        """Frames of an unsettled record, None when there is no such record."""
        index = self._find(offset)
        return None if index is None else self._ends[index] - self._begin(index)

    def covers(self, offset: Offset, frame: int) -> bool:
        """Whether this record holds this frame."""
        index = self._find(offset)
        return index is not None and self._begin(index) <= frame < self._ends[index]

    def restore(self, offset: Offset, audio: bytes) -> None:
        """Give a forgotten record its bytes back. Raises LocalProtocolError for a wrong length."""
        index = self._find(offset)
        if index is None or self._audio[index] is not None:
            return
        if len(audio) != (self._ends[index] - self._begin(index)) * BYTES_PER_FRAME:
            raise LocalProtocolError(f"record {offset} has another length than before")
        self._audio[index] = audio
        self._kept = min(self._kept, index)
        self.held += len(audio)

    def read(self, start: int, end: int) -> bytes:
        """The samples of [start, end). Raises LocalProtocolError when some are forgotten."""
        index = bisect_right(self._ends, start, self._head)
        begin = self._begin(index)
        parts = []
        while start < end:
            piece = self._audio[index]
            if piece is None:
                raise LocalProtocolError(f"frame {start} is forgotten")
            if begin == start and self._ends[index] <= end:
                parts.append(piece)
            else:
                low = (start - begin) * BYTES_PER_FRAME
                parts.append(piece[low : low + (end - start) * BYTES_PER_FRAME])
            begin = start = self._ends[index]
            index += 1
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def held_until(self, start: int, end: int) -> Frames:
        """The first frame of [start, end) that is forgotten, else end."""
        index = bisect_right(self._ends, start, self._head)
        while start < end and self._audio[index] is not None:
            start = self._ends[index]
            index += 1
        return Frames(min(start, end))

    def missing(self, start: int, limit: int) -> tuple[Offset, ...]:
        """Records whose bytes are forgotten, from frame `start` on: the first and what follows it
        without a gap of held audio, up to `limit` bytes but one at least.
        """
        found: list[Offset] = []
        index = bisect_right(self._ends, start, self._head)
        while index < len(self._offsets):
            size = (self._ends[index] - self._begin(index)) * BYTES_PER_FRAME
            if self._audio[index] is None:
                if found and size > limit:
                    break
                found.append(Offset(self._offsets[index]))
                limit -= size
            elif found and size:
                break
            index += 1
        return tuple(found)

    def forget_before(self, frame: int, limit: int) -> int:
        """Forget the oldest pieces that end at or before `frame` until at most `limit` bytes are
        held; returns the bytes forgotten.
        """
        before = self.held
        index = max(self._kept, self._head)
        while self.held > limit and index < len(self._ends) and self._ends[index] <= frame:
            self._drop(index)
            index += 1
        self._kept = index
        return before - self.held

    def forget_from(self, frame: int, limit: int) -> int:
        """Forget the newest pieces that begin at or after `frame` until at most `limit` bytes are
        held; returns the bytes forgotten.
        """
        before = self.held
        index = len(self._ends) - 1
        while self.held > limit and index >= self._head and self._begin(index) >= frame:
            self._drop(index)
            index -= 1
        return before - self.held

    def settle(self, judged: int) -> Offset | None:
        """Drop the records whose frames all lie below `judged`; returns the offset below which all
        records are settled when that has moved, else None.
        """
        head, ends = self._head, self._ends
        while head < len(ends) and ends[head] <= judged:
            if ends[head] == judged and self._offsets[head] in self._open:
                break
            head += 1
        return None if head == self._head else self._advance(head)

    def settle_all(self) -> Offset | None:
        """Drop every record; returns as `settle`."""
        head = len(self._ends)
        return None if head == self._head else self._advance(head)

    def offsets(self) -> tuple[Offset, ...]:
        """Unsettled records that hold audio, or the beginning of a frame."""
        return tuple(
            Offset(self._offsets[i])
            for i in range(self._head, len(self._offsets))
            if self._ends[i] > self._begin(i) or self._offsets[i] in self._open
        )

    def records(self, start: int, end: int) -> tuple[Offset, Offset, Milliseconds]:
        """First and last unsettled record of the span, and when its last audio was captured.

        A span that is settled already is placed at the nearest record. The tape must not be empty.
        """
        last = len(self._offsets) - 1
        first = min(bisect_right(self._ends, start, self._head), last)
        final = max(first, min(bisect_left(self._ends, end, self._head), last))
        return (
            Offset(self._offsets[first]),
            Offset(self._offsets[final]),
            Milliseconds(self._captured[final]),
        )

    def _begin(self, index: int) -> int:
        return self._ends[index - 1] if index else self._origin

    def _find(self, offset: Offset) -> int | None:
        index = bisect_left(self._offsets, offset, self._head)
        found = index < len(self._offsets) and self._offsets[index] == offset
        return index if found else None

    def _drop(self, index: int) -> None:
        piece = self._audio[index]
        if piece:
            self.held -= len(piece)
            self._audio[index] = None

    def _advance(self, head: int) -> Offset:
        for index in range(self._head, head):
            self._drop(index)
            self._open.discard(self._offsets[index])
            self._fill.pop(self._offsets[index], None)
        last = self._offsets[head - 1]
        self._head = head
        below = self._offsets[head] if head < len(self._offsets) else last + 1
        if head > _SLACK and head * 2 > len(self._offsets):
            self._cut()
        return Offset(below)

    def _cut(self) -> None:
        """Remove the settled pieces, but keep the last so that `end` and order stay known."""
        gone = self._head - 1
        self._origin = self._ends[gone - 1]
        for column in (self._offsets, self._ends, self._captured):
            del column[:gone]
        del self._audio[:gone]
        self._head -= gone
        self._kept = max(0, self._kept - gone)
