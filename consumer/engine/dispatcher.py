"""Routes a partition's records to its sessions: birth, succession, idle ends.

A key has one live session at a time. Audio that comes while a session is ending belongs to the
next incarnation, which is born at once but opens no stream before the first is over.
"""

from collections.abc import Iterator

from consumer.codec.audio import SessionDecoder
from consumer.core.checkpoint import PartitionCheckpoint, SessionCheckpoint
from consumer.core.events import DrainRequested
from consumer.core.identity import Identity
from consumer.core.session import Session
from consumer.engine.kit import Kit
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Tenure
from consumer.engine.worker import Worker
from consumer.model import (
    AudioChunk,
    ChunkEvent,
    EndReason,
    Incarnation,
    Milliseconds,
    Offset,
    Record,
    SessionKey,
)


class Dispatcher:
    """One per tenure. Within a key, workers stand in line; only the first one streams."""

    def __init__(self, tenure: Tenure, kit: Kit, replayer: Replayer) -> None:
        self._tenure = tenure
        self._kit = kit
        self._replayer = replayer
        self._lines: dict[SessionKey, list[Worker]] = {}
        self._settled: dict[bytes, Offset] = {}
        self._settled_until = Offset(0)

    def __len__(self) -> int:
        """Sessions in memory."""
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[Worker]:
        """All sessions; those that die meanwhile are skipped or not."""
        for line in list(self._lines.values()):
            yield from list(line)

    def restore(self, found: PartitionCheckpoint) -> None:
        """Go on with the sessions of earlier owners; what they have settled is not taken again."""
        settled = {key: Offset(last + 1) for key, last in found.ended.items()}
        for checkpoint in found.sessions:
            settled[checkpoint.key] = checkpoint.next
            self._go_on(checkpoint)
        self._settled = {key.encode(): below for key, below in settled.items()}
        self._settled_until = max(settled.values(), default=Offset(0))

    def settled(self, record: Record) -> bool:
        """An earlier owner has settled this record, though not all before it."""
        if not self._settled:
            return False
        if record.offset >= self._settled_until:
            self._settled.clear()
            return False
        return record.offset < self._settled.get(record.key or b"", Offset(0))

    def changed(self) -> list[SessionCheckpoint]:
        """The sessions about which something became known since the last time, as they are now.

        One that waits for its predecessor has said nothing yet, and is made anew from its records.
        """
        firsts = [line[0].checkpoint() for line in self._lines.values()]
        return [checkpoint for checkpoint in firsts if checkpoint is not None]

    def route(self, record: Record, chunk: AudioChunk, wall_ms: Milliseconds) -> None:
        """Hand a record to its session. One without a time stamp counts as written now."""
        if chunk.timestamp < 0:
            chunk = chunk._replace(timestamp=wall_ms)
        clock = self._tenure.clock
        worker = self._live(chunk.key)
        if worker is not None and worker.outlived(chunk.offset):
            worker = None
        if worker is not None and clock.parted(worker.timestamp, chunk.timestamp, wall_ms):
            worker.end(EndReason.IDLE, worker.timestamp)
            worker = None
        clock.observe(chunk.key, chunk.timestamp, wall_ms)
        if chunk.event is ChunkEvent.END and not chunk.payload:
            self._mark_end(worker, chunk)
            return
        if worker is None:
            worker = self._bear(chunk)
        self._tenure.offsets.track(worker.lane, chunk.offset)
        worker.arrive(record, chunk)
        worker.heard = clock.topic_time
        if chunk.event is ChunkEvent.END:
            worker.end(EndReason.MARKED, chunk.timestamp)
        else:
            worker.outlived(Offset(chunk.offset + 1))

    def end_idle(self) -> None:
        """End the sessions that get no records any more."""
        clock = self._tenure.clock
        for worker in self:
            heard = max(worker.heard, worker.timestamp)  # its own clock may be behind all others
            if not worker.session.ending and clock.idle(heard, worker.arrived):
                worker.end(EndReason.IDLE, worker.timestamp)

    def poke(self) -> None:
        """Let every session look again: the breaker has changed."""
        for worker in self:
            worker.poke()

    def drain(self) -> None:
        """Bring every stream to its OK and open no other."""
        for worker in self:
            worker.tell(DrainRequested())

    @property
    def streaming(self) -> bool:
        """A stream is open."""
        return any(worker.session.streaming for worker in self)

    def drop(self) -> None:
        """Forget all sessions where they stand."""
        for worker in self:
            worker.drop()
        self._lines.clear()

    def _live(self, key: SessionKey) -> Worker | None:
        """The session of this key that still takes audio."""
        line = self._lines.get(key)
        return line[-1] if line and not line[-1].session.ending else None

    def _mark_end(self, worker: Worker | None, chunk: AudioChunk) -> None:
        """An end mark without a session, or older than its first record, opens and ends nothing."""
        offsets = self._tenure.offsets
        if worker is None or chunk.timestamp < worker.began:
            lane = offsets.lane()
            offsets.track(lane, chunk.offset)
            offsets.settle(lane, Offset(chunk.offset + 1))
            return
        offsets.track(worker.lane, chunk.offset)
        worker.end(EndReason.MARKED, chunk.timestamp, chunk.offset)

    def _bear(self, chunk: AudioChunk) -> Worker:
        place = self._tenure.partition
        incarnation = Incarnation(place.topic, place.number, chunk.offset)
        identity = Identity(chunk.key, incarnation, resumed=self._resumed(chunk))
        line = self._lines.setdefault(chunk.key, [])
        worker = self._employ(identity, SessionDecoder(), None, released=not line)
        worker.began = worker.timestamp = chunk.timestamp
        line.append(worker)
        self._kit.metrics.count("sessions_started")
        return worker

    def _go_on(self, checkpoint: SessionCheckpoint) -> None:
        decoder = SessionDecoder(checkpoint.decoder)
        worker = self._employ(Identity.of(checkpoint), decoder, checkpoint, released=True)
        self._lines[checkpoint.key] = [worker]
        worker.go_on(checkpoint)

    def _employ(
        self,
        identity: Identity,
        decoder: SessionDecoder,
        checkpoint: SessionCheckpoint | None,
        *,
        released: bool,
    ) -> Worker:
        kit, tenure = self._kit, self._tenure
        session = Session(
            identity,
            kit.policies.session,
            decoder,
            kit.breaker,
            kit.held,
            released=released,
            checkpoint=checkpoint,
        )
        kit.breaker.joined()
        lane = tenure.offsets.lane()
        return Worker(identity.key, session, lane, tenure, kit, self._replayer, self._over)

    def _resumed(self, chunk: AudioChunk) -> bool:
        """The call may have begun before: it says so, or the log was entered in its middle.

        A call that goes on sends within the idle timeout; what comes first later than that after
        the entry is new. Without a sequence number or a start mark this errs to resumed.
        """
        tenure = self._tenure
        if tenure.first_timestamp is None:
            tenure.first_timestamp = chunk.timestamp
        if chunk.event is ChunkEvent.START or not tenure.continued:
            return False
        if chunk.sequence is not None:
            return chunk.sequence > 0
        timeout_ms = self._kit.policies.idle.timeout * 1000
        return chunk.timestamp - tenure.first_timestamp < timeout_ms

    def _over(self, worker: Worker) -> None:
        self._tenure.ended(worker.key, worker.newest)
        line = self._lines[worker.key]
        line.remove(worker)
        if line:
            line[0].release()
        else:
            del self._lines[worker.key]
