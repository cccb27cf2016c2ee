"""What was known of sequence numbers before the oldest unsettled record.

A new owner reads the records from there on once more. With the window as it is now it would take
them all for repeats, so this follows behind: it takes a number in when its record is settled.
"""

from collections import deque
from typing import NamedTuple

from consumer.core.checkpoint import SequenceMemory
from consumer.core.sequence import SequenceWindow
from consumer.model import ChunkEvent, Offset


class _Step(NamedTuple):
    """missing and previous: as they were after the record."""

    offset: Offset
    number: int | None
    restart: bool
    missing: int
    previous: int


class Trail:
    """Bounded by the unsettled records; a session without numbers leaves none."""

    __slots__ = ("_memory", "_steps", "_window")

    def __init__(self, width: int, memory: SequenceMemory) -> None:
        self._window = SequenceWindow(width)
        self._window.recall(memory)
        self._memory = memory
        self._steps: deque[_Step] = deque()

    def note(
        self, offset: Offset, number: int | None, event: ChunkEvent, missing: int, previous: int
    ) -> None:
        """A record was taken in; as from the first one with a number, every record counts."""
        restart = event is ChunkEvent.START
        if number is not None or restart or self._steps or self._memory.mask:
            self._steps.append(_Step(offset, number, restart, missing, previous))

    def settle(self, below: Offset) -> None:
        """Records below this offset are not needed again."""
        last: _Step | None = None
        while self._steps and self._steps[0].offset < below:
            last = self._steps.popleft()
            if last.restart:
                self._window.restart()
            self._window.judge(last.number)
        if last is not None:
            highest, mask = self._window.seen
            self._memory = SequenceMemory(highest, mask, last.missing, last.previous)

    @property
    def memory(self) -> SequenceMemory:
        """What was known before the oldest unsettled record."""
        return self._memory
