"""Which sequence numbers are new, repeated, late or missing."""

from enum import StrEnum
from typing import NamedTuple

from consumer.core.checkpoint import SequenceMemory


class Novelty(StrEnum):
    """What a sequence number says about its chunk."""

    NEW = "new"
    REPEAT = "repeat"
    LATE = "late"


class Admission(NamedTuple):
    """missing: numbers skipped directly before a new chunk."""

    novelty: Novelty
    missing: int = 0


_NEW = Admission(Novelty.NEW)
_REPEAT = Admission(Novelty.REPEAT)
_LATE = Admission(Novelty.LATE)


class SequenceWindow:
    """The numbers seen among the last `width`; bit i of the mask stands for `highest - i`."""

    __slots__ = ("_full", "_highest", "_mask", "_width")

    def __init__(self, width: int) -> None:
        self._width = width
        self._full = (1 << width) - 1
        self._highest = -1
        self._mask = 0

    @property
    def seen(self) -> tuple[int, int]:
        """The highest number, and the mask."""
        return self._highest, self._mask

    def recall(self, memory: SequenceMemory) -> None:
        """Go on from here. A window that was wider forgets what lies beyond this one."""
        self._highest, self._mask = memory.highest, memory.mask & self._full

    def restart(self) -> None:
        """Expect any number next: the producer says that it starts."""
        self._mask = 0

    def judge(self, number: int | None) -> Admission:
        """Take in the next chunk's number. A step back beyond the window starts the count anew."""
        if number is None:
            return _NEW
        step = number - self._highest
        if not self._mask or step <= -self._width:
            self._highest, self._mask = number, 1
            return _NEW
        if step <= 0:
            return _REPEAT if self._mask >> -step & 1 else _LATE
        shifted = self._mask << step if step < self._width else 0
        self._highest, self._mask = number, shifted & self._full | 1
        return _NEW if step == 1 else Admission(Novelty.NEW, step - 1)
