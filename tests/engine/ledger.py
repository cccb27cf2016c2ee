"""An oracle: which records may be committed, worked out from the outside alone.

A record of audio may be committed when a result at the governing level reaches past it, or when a
stream that carried it ended with OK after our half-close and all its results are written, or when
it is in the dead letters. All of that must have been acknowledged.
"""

from collections.abc import Mapping
from typing import NamedTuple

from consumer.model import Level, Offset, Partition
from tests.engine.props import Line, all_of, voice_of
from tests.engine.stand import LETTERS, RATE, Stand, headers


class Spoken(NamedTuple):
    """One record of audio: whose, in which call, and the call frame after its end."""

    offset: Offset
    key: str
    call: int
    born: Offset
    end: int


class Ledger:
    """Watches the commits of replicas on one cluster; calls end by end marks only."""

    def __init__(self, governing: Level) -> None:
        self._governing = governing
        self._stands: list[Stand] = []
        self._covered: set[tuple[int, Offset]] = set()
        self.commits = 0

    def watch(self, stand: Stand) -> None:
        """Check all that this replica commits, at the moment it does."""
        commit = stand.source.commit

        async def checked(offsets: Mapping[Partition, Offset]) -> None:
            self.commits += 1
            for partition, offset in offsets.items():
                self.check(partition, offset)
            await commit(offsets)

        self._stands.append(stand)
        stand.source.commit = checked  # type: ignore[method-assign] # a look over the shoulder

    def check(self, partition: Partition, below: Offset) -> None:
        """Fail when a record below this offset may not be committed."""
        spoken = self.spoken(partition)
        for record in spoken:
            place = (partition.number, record.offset)
            if record.offset < below and place not in self._covered:
                assert self.covered(partition, record, spoken), f"{record} is not settled"
                self._covered.add(place)

    def spoken(self, partition: Partition) -> list[Spoken]:
        """All audio of a partition."""
        found: list[Spoken] = []
        now: dict[str, Spoken] = {}
        calls: dict[str, int] = {}
        for record in self._stands[0].cluster.contents(partition):
            if record.key is None:
                continue
            key = record.key.decode()
            if record.value is None:
                now.pop(key, None)
                calls[key] = calls.get(key, 0) + 1
                continue
            last = now.get(key)
            born, end = (record.offset, 0) if last is None else (last.born, last.end)
            end += len(record.value) // 2
            now[key] = Spoken(record.offset, key, calls.get(key, 0), born, end)
            found.append(now[key])
        return found

    def covered(self, partition: Partition, record: Spoken, spoken: list[Spoken]) -> bool:
        """The record needs no more work, as far as anybody outside can tell."""
        return any(
            self._judged(stand, record, spoken)
            or self._ended(stand, record)
            or self._dead(stand, partition, record)
            for stand in self._stands
        )

    def _judged(self, stand: Stand, record: Spoken, spoken: list[Spoken]) -> bool:
        ends = [
            round(result["end"] * RATE) + self._before(record, born, spoken)
            for result in stand.results(record.key)
            if result["level"] == self._governing
            and record.born <= (born := result["incarnation"]["offset"]) <= record.offset
        ]
        return max(ends, default=0) >= record.end

    @staticmethod
    def _before(record: Spoken, born: int, spoken: list[Spoken]) -> int:
        """Frames of the call before the incarnation that was born at this offset."""
        earlier = [
            other.end
            for other in spoken
            if (other.key, other.call) == (record.key, record.call) and other.offset < born
        ]
        return max(earlier, default=0)

    def _ended(self, stand: Stand, record: Spoken) -> bool:
        whole = all_of(voice_of(record.key, record.call))
        for stream in stand.api.of[record.key]:
            heard = b"".join(stream.audio)
            place = whole.find(heard) // 2
            reaches = heard and place >= 0 and place + len(heard) // 2 >= record.end
            if reaches and place < record.end and self._ok(stand, record.key, stream):
                return True
        return False

    @staticmethod
    def _ok(stand: Stand, key: str, stream: Line) -> bool:
        """The server ended this stream after our half-close, and its results are written."""
        written = {(result["pid"], result["message_id"]) for result in stand.results(key)}
        return stream.ok and all((m.pid, m.message_id) in written for m in stream.said)

    @staticmethod
    def _dead(stand: Stand, partition: Partition, record: Spoken) -> bool:
        return any(
            int(said["dlq-offset"]) == record.offset
            and int(said["dlq-partition"]) == partition.number
            for said in map(headers, stand.written(LETTERS))
        )
