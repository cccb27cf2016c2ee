"""What comes in: records become pieces of the tape, forgotten and fetched again as memory allows.

A record leaves here in one of three ways: as audio on the tape, as nothing (a repeat), or as a dead
letter. It keeps its place on the tape in all three, so that offsets settle in order.
"""

from dataclasses import replace
from typing import NamedTuple

from consumer.core.checkpoint import DecoderMemory, Run, SequenceMemory, SessionCheckpoint
from consumer.core.events import (
    Action,
    AudioReplayed,
    DeadLettered,
    Decoded,
    Decoder,
    EndMarked,
    Fetch,
)
from consumer.core.policy import SessionPolicy
from consumer.core.sequence import Novelty, SequenceWindow
from consumer.core.tally import Tally
from consumer.core.tape import Tape
from consumer.core.timeline import Timeline
from consumer.core.trail import Trail
from consumer.errors import RecordError
from consumer.model import BYTES_PER_FRAME, AudioChunk, ChunkEvent, Frames, Offset, StreamConfig


class IntakeMemory(NamedTuple):
    """What `SessionCheckpoint` has of the records."""

    next: Offset
    begin: Frames
    seen: Offset
    runs: tuple[Run, ...]
    sequence: SequenceMemory
    decoder: DecoderMemory
    given_up: tuple[Offset, ...]


class Intake:
    """tape: the unsettled audio. timeline: the formats it came in."""

    def __init__(
        self,
        policy: SessionPolicy,
        decoder: Decoder,
        tally: Tally,
        checkpoint: SessionCheckpoint | None = None,
    ) -> None:
        memory = SequenceMemory() if checkpoint is None else checkpoint.sequence
        self.tape = Tape() if checkpoint is None else Tape(checkpoint.begin)
        self.timeline = Timeline() if checkpoint is None else Timeline(checkpoint.runs)
        self._policy = policy
        self._decoder = decoder
        self._tally = tally
        self._sequence = SequenceWindow(policy.sequence.window)
        self._sequence.recall(memory)
        self._trail = Trail(policy.sequence.window, memory)
        self._previous_frames = memory.previous
        self._missing = memory.missing
        self._asked: set[Offset] = set()
        self._lost: Offset | None = None
        self._given_up = set(checkpoint.given_up) if checkpoint is not None else set()
        self._seen = Offset(-1) if checkpoint is None else checkpoint.seen
        self._fresh = True

    def memory(self) -> IntakeMemory:
        """What a new owner needs to take the records in from the oldest one that is needed."""
        first = self.tape.first
        needed, begin = first or (Offset(self._seen + 1), self.tape.end)
        runs, sequence = self.timeline.until(begin), self._trail.memory
        if runs and runs[-1].start == begin:  # then nothing is put in before the first of its kind
            sequence = replace(sequence, previous=0)
        return IntakeMemory(
            next=needed,
            begin=begin,
            seen=self._seen,
            runs=runs,
            sequence=sequence,
            decoder=self._decoder.memory,
            given_up=tuple(sorted(offset for offset in self._given_up if offset >= needed)),
        )

    def admit(self, chunk: AudioChunk, out: list[Action]) -> Decoded | None:
        """Judge and decode the next record; None when it adds no audio, and is on the tape."""
        fresh = self._fresh = chunk.offset > self._seen
        self._seen = max(self._seen, chunk.offset)
        self._tally.records += fresh
        if chunk.event is ChunkEvent.START:
            self._sequence.restart()
            self._missing = 0
        novelty, missing = self._sequence.judge(chunk.sequence)
        if novelty is Novelty.NEW:
            self._tally.missing += missing * fresh
            self._missing += missing
            try:
                return self._decoder.decode(chunk)
            except RecordError as error:
                self.give_up(error.reason, error.detail, out, (chunk.offset,))
        elif novelty is Novelty.LATE:
            detail = f"sequence number {chunk.sequence} came after higher ones"
            self.give_up("late", detail, out, (chunk.offset,))
        else:
            self._tally.repeats += fresh
        self._blank(chunk)
        return None

    def changes(self, decoded: Decoded, chunk: AudioChunk) -> bool:
        """Whether this audio is in another format than the audio before it; notes it if so."""
        before, rate = self.timeline.config, decoded.sample_rate
        same = before is not None and before.sample_rate == rate and before.level is chunk.level
        if same or not decoded.audio:
            return False
        self.timeline.change(self.tape.end, StreamConfig(rate, chunk.level))
        self._previous_frames = 0
        return before is not None

    def store(
        self, chunk: AudioChunk, decoded: Decoded, *, sent: int, cap: int, keep: bool
    ) -> None:
        """Put the record on the tape, with its bytes if they may be kept and fit under the cap.

        sent: call frame up to which audio was handed to a stream, and can be forgotten first.
        """
        fill = self._fill(decoded)
        audio = bytes(fill * BYTES_PER_FRAME) + decoded.audio if fill else decoded.audio
        frames = len(audio) // BYTES_PER_FRAME
        room = cap - len(audio)
        if self.tape.held > room:
            self._tally.forgotten_bytes += self.tape.forget_before(sent, max(room, 0))
        keep = keep and self._lost is None and self.tape.held <= room
        if not keep and audio:
            self._tally.forgotten_bytes += len(audio)
            self._lost = chunk.offset
        captured = chunk.timestamp if chunk.captured_at is None else chunk.captured_at
        self.tape.append(
            chunk.offset,
            frames,
            audio if keep else None,
            captured,
            is_open=decoded.open,
            fill=fill,
        )
        self._follow(chunk)

    def mark_end(self, event: EndMarked) -> None:
        """Put the end mark's record on the tape; it settles with the session, as nothing else."""
        if event.offset is not None:
            self.tape.append(event.offset, 0, None, event.timestamp, is_open=True)
            self._given_up.add(event.offset)
            self._seen = max(self._seen, event.offset)

    def replayed(self, event: AudioReplayed, *, sent: int, cap: int, out: list[Action]) -> None:
        """A record came back; it is put where it was, as silence when retention has deleted it.

        sent: the call frame that is needed next; what lies before it gives way first, then the
        newest. A record that does not fit and is not needed next stays forgotten.
        """
        self._asked.discard(event.offset)
        frames = self.tape.frames_of(event.offset)
        if frames is None:
            return
        if event.chunk is None:
            audio = bytes(frames * BYTES_PER_FRAME)
            detail = "retention deleted it before it could be sent again"
            self.give_up("expired", detail, out, (event.offset,))
        else:
            fill = bytes(self.tape.fill_of(event.offset) * BYTES_PER_FRAME)
            audio = fill + self._decoder.again(event.chunk).audio
        self._make_room(cap - len(audio), sent)
        if self.tape.held + len(audio) > cap and not self.tape.covers(event.offset, sent):
            self._lost = max(self._lost or event.offset, event.offset)
            return
        self._tally.replayed_bytes += len(audio)
        self.tape.restore(event.offset, audio)

    def fetch(self, frame: int, out: list[Action]) -> None:
        """Ask for forgotten audio from this call frame on, unless an answer is awaited.

        There must be some.
        """
        if self._asked:
            return
        wanted = self.tape.missing(frame, self._policy.memory.fetch)
        self._asked.update(wanted)
        if self._lost is not None and wanted[-1] >= self._lost:
            self._lost = None
        out.append(Fetch(wanted))

    def prune(self) -> None:
        """Forget formats that no record has any more which is needed."""
        first = self.tape.first
        self.timeline.prune(self.tape.end if first is None else first[1])

    def settle(self, judged: int) -> Offset | None:
        """Drop what is judged; returns as Tape.settle."""
        below = self.tape.settle(judged)
        if below is None:
            return None
        self._decoder.forget(below)
        self._trail.settle(below)
        if self._lost is not None and self._lost < below:
            self._lost = None
        if self._given_up:
            self._given_up = {o for o in self._given_up if o >= below}
        return below

    def settle_all(self) -> Offset | None:
        """Drop everything, at the session's end; returns as Tape.settle."""
        return self.tape.settle_all()

    def give_up(
        self,
        reason: str,
        detail: str,
        out: list[Action],
        offsets: tuple[Offset, ...] | None = None,
    ) -> None:
        """Dead-letter these records, or all that hold unsettled audio; none of them twice."""
        wanted = self.tape.offsets() if offsets is None else offsets
        fresh = tuple(o for o in wanted if o not in self._given_up)
        if fresh:
            self._given_up.update(fresh)
            self._tally.dead_letters += len(fresh)
            out.append(DeadLettered(fresh, reason, detail))

    def _blank(self, chunk: AudioChunk) -> None:
        self.tape.append(chunk.offset, 0, None, chunk.timestamp)
        self._follow(chunk)

    def _follow(self, chunk: AudioChunk) -> None:
        self._trail.note(
            chunk.offset, chunk.sequence, chunk.event, self._missing, self._previous_frames
        )

    def _fill(self, decoded: Decoded) -> Frames:
        """Frames of silence for the numbers that are missing before this chunk.

        None where the record before was cut within a frame, whose other half comes with this one.
        """
        missing, self._missing = self._missing, 0
        before, now = self._previous_frames, len(decoded.audio) // BYTES_PER_FRAME
        self._previous_frames = 0 if decoded.open else now
        if not (missing and before and self._policy.sequence.fill):
            return Frames(0)
        most = int(self._policy.sequence.fill_limit * decoded.sample_rate)
        frames = min(missing * before, most)
        self._tally.filled_ms += self._fresh * frames * 1000 // decoded.sample_rate
        return Frames(frames)

    def _make_room(self, room: int, sent: int) -> None:
        if self.tape.held <= room:
            return
        self._tally.forgotten_bytes += self.tape.forget_before(sent, max(room, 0))
        newest = self.tape.forget_from(sent, max(room, 0))
        if newest:
            self._tally.forgotten_bytes += newest
            self._lost = self.tape.last
