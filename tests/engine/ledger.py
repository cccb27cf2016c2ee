"""An oracle: which records may be committed, worked out from the outside alone.

A record of audio may be committed when a result at the governing level reaches past it, or when a
stream that carried it ended with OK after our half-close and all its results are written, or when
it is in the dead letters. All of that must have been acknowledged.
"""

from collections.abc import Mapping
from typing import NamedTuple

from consumer.core.claim import Standing
from consumer.model import Level, Offset, Partition
from tests.engine.props import all_of, voice_of
from tests.engine.stand import LETTERS, RATE, Stand, headers


class Spoken(NamedTuple):
    """One record of audio: whose, in which call, and its first call frame and the one after."""

    offset: Offset
    key: str
    call: int
    born: Offset
    begin: int
    end: int


Book = Mapping[Offset, Spoken]


class Ledger:
    """Watches the commits of replicas on one cluster; calls end by end marks only."""

    def __init__(self, governing: Level) -> None:
        self._governing = governing
        self._stands: list[Stand] = []
        self._covered: set[tuple[int, Offset]] = set()
        self.commits = 0

    def watch(self, stand: Stand) -> None:
        """Check all that this replica commits, at the moment it does."""
        self._stands.append(stand)
        if len(self._stands) > 1:  # they are of one group
            return
        group = stand.source.group
        commit = group.commit

        def checked(partition: Partition, standing: Standing) -> None:
            self.commits += 1
            assert standing.offset >= group.committed.get(partition, 0), "back it goes"
            self.check(partition, standing.offset)
            commit(partition, standing)

        group.commit = checked  # type: ignore[method-assign] # a look over the shoulder

    def check(self, partition: Partition, below: Offset) -> None:
        """Fail when a record below this offset may not be committed."""
        spoken = self.spoken(partition)
        for record in spoken.values():
            place = (partition.number, record.offset)
            if record.offset < below and place not in self._covered:
                assert self.covered(partition, record, spoken), f"{record} is not settled"
                self._covered.add(place)

    def spoken(self, partition: Partition) -> Book:
        """All audio of a partition."""
        found: dict[Offset, Spoken] = {}
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
            born, begin = (record.offset, 0) if last is None else (last.born, last.end)
            end = begin + len(record.value) // 2
            now[key] = Spoken(record.offset, key, calls.get(key, 0), born, begin, end)
            found[record.offset] = now[key]
        return found

    def covered(self, partition: Partition, record: Spoken, spoken: Book) -> bool:
        """The record needs no more work, as far as anybody outside can tell."""
        return any(
            self._reached(stand, record, spoken, self._governing) >= record.end
            or self._ended(stand, record, spoken)
            or self._dead(stand, partition, record)
            for stand in self._stands
        )

    @staticmethod
    def _reached(stand: Stand, record: Spoken, spoken: Book, level: Level) -> int:
        """The call frame up to which results of this level are written.

        An incarnation's times count from its first record, which may lie within the call.
        """
        ends = [
            round(result["end"] * RATE) + spoken[born].begin
            for result in stand.results(record.key)
            if result["level"] == level
            and record.born <= (born := result["incarnation"]["offset"]) <= record.offset
        ]
        return max(ends, default=0)

    def _ended(self, stand: Stand, record: Spoken, spoken: Book) -> bool:
        """A stream that ended well carried the record, and all that it found is written."""
        whole = all_of(voice_of(record.key, record.call))
        for stream in stand.api.of[record.key]:
            heard = b"".join(stream.audio)
            place = whole.find(heard) // 2
            carried = stream.ok and heard and 0 <= place < record.end <= place + len(heard) // 2
            if carried and all(
                place + round(result.end * RATE)
                <= self._reached(stand, record, spoken, result.level)
                for message in stream.said
                for result in message.results
            ):
                return True
        return False

    @staticmethod
    def _dead(stand: Stand, partition: Partition, record: Spoken) -> bool:
        return any(
            int(said["dlq-offset"]) == record.offset
            and int(said["dlq-partition"]) == partition.number
            for said in map(headers, stand.written(LETTERS))
        )
