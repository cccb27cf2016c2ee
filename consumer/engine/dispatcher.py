"""Routes a partition's records to its sessions: birth, succession, idle ends.

A key has one live session at a time. Audio that comes while a session is ending belongs to the
next incarnation, which is born at once but opens no stream before the first is over.
"""

from collections.abc import Iterator

from consumer.codec.audio import SessionDecoder
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

    def __len__(self) -> int:
        """Sessions in memory."""
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[Worker]:
        """All sessions; those that die meanwhile are skipped or not."""
        for line in list(self._lines.values()):
            yield from list(line)

    def route(self, record: Record, chunk: AudioChunk, wall_ms: Milliseconds) -> None:
        """Hand a record to its session. One without a time stamp counts as written now."""
        if chunk.timestamp < 0:
            chunk = chunk._replace(timestamp=wall_ms)
        clock = self._tenure.clock
        worker = self._live(chunk.key)
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
        if chunk.event is ChunkEvent.END:
            worker.end(EndReason.MARKED, chunk.timestamp)

    def end_idle(self) -> None:
        """End the sessions that get no records any more."""
        clock = self._tenure.clock
        for worker in self:
            if not worker.session.ending and clock.idle(worker.timestamp, worker.arrived):
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
        session = Session(
            identity,
            self._kit.policies.session,
            SessionDecoder(),
            self._kit.breaker,
            self._kit.held,
            released=not line,
        )
        lane = self._tenure.offsets.lane()
        worker = Worker(
            chunk.key, session, lane, self._tenure, self._kit, self._replayer, self._over
        )
        worker.began = worker.timestamp = chunk.timestamp
        line.append(worker)
        self._kit.breaker.joined()
        self._kit.metrics.count("sessions_started")
        return worker

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
        line = self._lines[worker.key]
        line.remove(worker)
        if line:
            line[0].release()
        else:
            del self._lines[worker.key]
