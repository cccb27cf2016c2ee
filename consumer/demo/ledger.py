"""What the topics say about each call of the demo: sent, found, ended, settled."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consumer.codec.readers import decode_result, decode_session
from consumer.codec.shapes import EndedShape, ResultShape, SessionShape
from consumer.model import Offset, Partition, Record, SessionKey

News = tuple[SessionKey, ResultShape | SessionShape]
"""Whose call it is about, and what is said."""


@dataclass(slots=True)
class Entry:
    """One call. places: where its records lie on the input topic."""

    sent_seconds: float = 0.0
    places: list[tuple[Partition, Offset]] = field(default_factory=list)
    results: list[ResultShape] = field(default_factory=list)
    started: bool = False
    ended: EndedShape | None = None

    @property
    def labels(self) -> Counter[str]:
        """Results per final label."""
        return Counter(result.final_label for result in self.results)

    @property
    def pids(self) -> tuple[int, ...]:
        """The API's process numbers of its streams, as far as results told them."""
        known = self.ended.summary.pids if self.ended else ()
        return tuple(dict.fromkeys((*known, *(result.pid for result in self.results))))

    def settled(self, committed: Mapping[Partition, Offset | None]) -> int:
        """How many of its records lie below the committed offset of their partition."""
        return sum(offset < (committed.get(place) or 0) for place, offset in self.places)


@dataclass(slots=True)
class Ledger:
    """Entries by session, fed with the records of the three topics."""

    input_topic: str
    results_topic: str
    sessions_topic: str
    entries: dict[SessionKey, Entry]
    ends: dict[Partition, Offset] = field(default_factory=dict)
    """The offset after the last input record that was seen of each partition."""

    @property
    def over(self) -> bool:
        """Every call has ended."""
        return all(entry.ended for entry in self.entries.values())

    def note(self, records: Iterable[Record]) -> list[News]:
        """Take records in; returns what the consumer says in them. Raises RecordError."""
        news: list[News] = []
        for record in records:
            key = SessionKey((record.key or b"").decode())
            if record.partition.topic == self.input_topic:
                self._sent(key, record)
            elif key in self.entries:
                news.append((key, self._told(self.entries[key], record)))
        return news

    @property
    def complete(self) -> bool:
        """As many results were read of every call as its end speaks of; topics have no order."""
        return all(
            entry.ended and len(entry.results) >= entry.ended.summary.results
            for entry in self.entries.values()
        )

    def committed(self, committed: Mapping[Partition, Offset | None]) -> bool:
        """Whether a group's committed offsets stand at the ends of all partitions."""
        return all(committed.get(place) == end for place, end in self.ends.items())

    def _sent(self, key: SessionKey, record: Record) -> None:
        self.ends[record.partition] = Offset(record.offset + 1)
        if key in self.entries:
            self.entries[key].places.append((record.partition, record.offset))

    def _told(self, entry: Entry, record: Record) -> ResultShape | SessionShape:
        if record.partition.topic == self.results_topic:
            result = decode_result(record.value, record.headers)
            entry.results.append(result)
            return result
        event = decode_session(record.value, record.headers)
        entry.started = True
        if isinstance(event, EndedShape):
            entry.ended = event
        return event
