"""The tape against a plain list of all pieces ever."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.core.tape import Tape
from consumer.model import Milliseconds, Offset


@dataclass
class Piece:
    """A record as the model keeps it."""

    offset: int
    begin: int
    end: int
    audio: bytes
    held: bool
    is_open: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.audio)


class TapeMachine(RuleBasedStateMachine):
    """The tape against a plain list of all pieces ever, with settled ones cut off early."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("consumer.core.tape._SLACK", 3)
        self.tape = Tape()
        self.pieces: list[Piece] = []
        self.settled = 0
        self.next = 5

    def teardown(self) -> None:
        self.patch.undo()

    @property
    def live(self) -> list[Piece]:
        """Unsettled pieces."""
        return self.pieces[self.settled :]

    @property
    def end(self) -> int:
        """The frame after the newest."""
        return self.pieces[-1].end if self.pieces else 0

    @rule(
        step=st.integers(1, 4),
        frames=st.sampled_from([0, 0, 1, 2, 3, 7]),
        held=st.booleans(),
        is_open=st.booleans(),
    )
    def append(self, step: int, frames: int, held: bool, is_open: bool) -> None:
        self.next += step
        begin = self.end
        audio = b"".join((i % 65536).to_bytes(2, "big") for i in range(begin, begin + frames))
        given = audio if held else None
        self.tape.append(Offset(self.next), frames, given, Milliseconds(self.next), is_open=is_open)
        held = held or not frames
        self.pieces.append(Piece(self.next, begin, begin + frames, audio, held, is_open))

    @rule(frame=st.integers(0, 40), limit=st.integers(0, 30))
    def forget_before(self, frame: int, limit: int) -> None:
        forgotten = 0
        for piece in self.live:
            if self.tape.held - forgotten <= limit or piece.end > frame:
                break
            forgotten += self.forget(piece)
        assert self.tape.forget_before(frame, limit) == forgotten

    @rule(frame=st.integers(0, 40), limit=st.integers(0, 30))
    def forget_from(self, frame: int, limit: int) -> None:
        forgotten = 0
        for piece in reversed(self.live):
            if self.tape.held - forgotten <= limit or piece.begin < frame:
                break
            forgotten += self.forget(piece)
        assert self.tape.forget_from(frame, limit) == forgotten

    def forget(self, piece: Piece) -> int:
        """Forget a piece's bytes; returns how many."""
        size = piece.size if piece.held else 0
        piece.held = piece.held and not piece.size
        return size

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        piece = data.draw(st.sampled_from(self.live))
        self.tape.restore(Offset(piece.offset), piece.audio)
        piece.held = True

    @rule(more=st.integers(-3, 12))
    def settle(self, more: int) -> None:
        judged = (self.live[0].begin if self.live else self.end) + more
        before = self.settled
        while self.live and self.live[0].end + self.live[0].is_open <= judged:
            self.settled += 1
        expected = None
        if self.settled > before:
            last = self.pieces[self.settled - 1].offset
            expected = self.live[0].offset if self.live else last + 1
        assert self.tape.settle(judged) == expected

    @rule(start=st.integers(0, 10), length=st.integers(0, 12), limit=st.integers(0, 20))
    def look(self, start: int, length: int, limit: int) -> None:
        """What is held is read as it came, what is not is missing."""
        first = self.live[0].begin if self.live else self.end
        start = min(first + start, self.end)
        end = min(start + length, self.end)
        until = self.tape.held_until(start, end)
        assert until == self.held_until(start, end)
        audio = b"".join(piece.audio for piece in self.pieces)
        assert self.tape.read(start, until) == audio[2 * start : 2 * until]
        assert self.tape.missing(start, limit) == self.missing(start, limit)

    def held_until(self, start: int, end: int) -> int:
        """The first forgotten frame of a span."""
        gone = [max(p.begin, start) for p in self.live if not p.held and p.end > start]
        return min([*gone, end]) if start < end else start

    def missing(self, start: int, limit: int) -> tuple[int, ...]:
        """The first stretch of forgotten records, up to the limit."""
        found: list[int] = []
        for piece in (p for p in self.live if p.end > start and p.size):
            if piece.held:
                if found:
                    break
                continue
            if found and piece.size > limit:
                break
            found.append(piece.offset)
            limit -= piece.size
        return tuple(found)

    @invariant()
    def agrees(self) -> None:
        """Counts agree at all times."""
        assert len(self.tape) == len(self.live)
        assert self.tape.end == self.end
        assert self.tape.held == sum(p.size for p in self.live if p.held)
        worth = tuple(p.offset for p in self.live if p.size or p.is_open)
        assert self.tape.offsets() == worth


TestTapeModel = pytest.mark.timeout(1200)(TapeMachine.TestCase)  # deep takes its time
TestTapeModel.settings = settings(stateful_step_count=60, deadline=None)
