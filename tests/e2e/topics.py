"""Reads everything that the service writes, and how far it has committed.

Records are read with plain JSON and by the published contract, not with the service's codec.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from jsonschema import Draft202012Validator

_SCHEMAS = Path(__file__).parents[2] / "schemas"
_RESULT, _EVENT = (
    Draft202012Validator(json.loads((_SCHEMAS / f"{name}.v1.json").read_text()))
    for name in ("detection-result", "detection-session")
)


class Names(NamedTuple):
    """The four topics of a service and its group."""

    input: str
    results: str
    sessions: str
    letters: str
    group: str

    @property
    def topics(self) -> tuple[str, str, str, str]:
        """Without the group."""
        return self[:4]


class Origin(NamedTuple):
    """An incarnation: the place of its first record."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Result:
    """A finding as it stands on the topic. start and end in seconds of call time."""

    id: str
    session: str
    origin: Origin
    partition: int
    task: str
    level: str
    start: float
    end: float
    label: str
    pid: int
    offsets: tuple[int, int]

    @staticmethod
    def read(record: "ConsumerRecord[bytes, bytes]") -> "Result":
        """Raises ValidationError or AssertionError for what the contract doesn't allow."""
        body = _body(record, _RESULT)
        return Result(
            id=body["id"],
            session=body["session"],
            origin=_origin(body),
            partition=record.partition,
            task=body["task"],
            level=body["level"],
            start=body["start"],
            end=body["end"],
            label=body["final_label"],
            pid=body["pid"],
            offsets=(body["offsets"][0], body["offsets"][1]),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A session has started or ended. summary: of an end."""

    session: str
    origin: Origin
    partition: int
    kind: str
    resumed: bool
    reason: str
    summary: Mapping[str, Any]

    @staticmethod
    def read(record: "ConsumerRecord[bytes, bytes]") -> "Event":
        """Raises ValidationError or AssertionError for what the contract doesn't allow."""
        body = _body(record, _EVENT)
        return Event(
            session=body["session"],
            origin=_origin(body),
            partition=record.partition,
            kind=body["event"],
            resumed=body.get("resumed", False),
            reason=body.get("reason", ""),
            summary=body.get("summary", {}),
        )


class Topics:
    """What was read so far; `async with` it. letters: dead letters as they stand there.

    committed_only: what transactions have not committed is not read.
    """

    def __init__(
        self, brokers: str, names: Names, partitions: int, *, committed_only: bool = False
    ) -> None:
        self.results: list[Result] = []
        self.events: list[Event] = []
        self.letters: list[ConsumerRecord[bytes, bytes]] = []
        self._brokers = brokers
        self._names = names
        self._partitions = partitions
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=brokers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed" if committed_only else "read_uncommitted",
        )

    async def __aenter__(self) -> Self:
        """Connect; all topics must be there."""
        await self._reader.start()
        topics = (self._names.results, self._names.sessions, self._names.letters)
        self._reader.assign([place for topic in topics for place in self._places(topic)])
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._reader.stop()

    async def grow(self, partitions: int) -> None:
        """The topics have so many now: read on in all of them."""
        before = {place: await self._reader.position(place) for place in self._reader.assignment()}
        self._partitions = partitions
        topics = (self._names.results, self._names.sessions, self._names.letters)
        self._reader.assign([place for topic in topics for place in self._places(topic)])
        for place, position in before.items():
            self._reader.seek(place, position)

    async def poll(self, seconds: float = 0.1) -> None:
        """Read on, and wait so long for something new."""
        found = await self._reader.getmany(timeout_ms=int(seconds * 1000))
        for place, records in found.items():
            for record in records:
                if place.topic == self._names.results:
                    self.results.append(Result.read(record))
                elif place.topic == self._names.sessions:
                    self.events.append(Event.read(record))
                else:
                    self.letters.append(record)

    async def fed(self, count: int) -> "list[ConsumerRecord[bytes, bytes]]":
        """So many records of the input, in order within a partition."""
        reader = AIOKafkaConsumer(bootstrap_servers=self._brokers, auto_offset_reset="earliest")
        found: list[ConsumerRecord[bytes, bytes]] = []
        await reader.start()
        try:
            reader.assign(self._places(self._names.input))
            while len(found) < count:
                for records in (await reader.getmany(timeout_ms=100)).values():
                    found += records
        finally:
            await reader.stop()
        return found

    async def committed(self) -> Mapping[int, int]:
        """The group's committed offset of each input partition, 0 for none."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._brokers)
        places = self._places(self._names.input)
        try:
            await admin.start()
            found = await admin.list_consumer_group_offsets(self._names.group, partitions=places)
        finally:
            await admin.close()
        offsets = {place.partition: meta.offset for place, meta in found.items()}
        return {place.partition: max(0, offsets.get(place.partition, 0)) for place in places}

    async def group_state(self) -> str:
        """What the coordinator says of the group, such as Stable or PreparingRebalance."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._brokers)
        try:
            await admin.start()
            [answer] = await admin.describe_consumer_groups([self._names.group])
        finally:
            await admin.close()
        [(_, _, state, *_)] = answer.groups
        return str(state)

    def of(self, key: str) -> list[Result]:
        """A session's results in order."""
        return [result for result in self.results if result.session == key]

    def ended(self, key: str) -> bool:
        """A session's end was told, and as many results of it as that speaks of."""
        ends = [event for event in self.events if event.session == key and event.kind == "ended"]
        return bool(ends) and all(len(self.of(key)) >= event.summary["results"] for event in ends)

    def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._partitions)]


def _body(
    record: "ConsumerRecord[bytes, bytes]", schema: Draft202012Validator
) -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads(record.value or b"")
    schema.validate(body)
    headers = dict(record.headers)
    assert headers["ce_id"].decode() == body["id"], "a header with another id"
    assert (record.key or b"").decode() == body["session"], "a record under another key"
    return body


def _origin(body: Mapping[str, Any]) -> Origin:
    incarnation = body["incarnation"]
    return Origin(incarnation["partition"], incarnation["offset"])
