"""Reads all that the consumers write, as a reader that wants committed records only."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from tests.chaos.names import PARTITIONS, Names
from tests.chaos.oracle.facts import Event, Letter, Origin, Result
from tests.chaos.patience import end, within

_PAUSE_SECONDS = 0.5
_QUIET_SECONDS = 3.0
_END_SECONDS = 60.0
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class Reader:
    """Reads on in the background from `start` on; `async with` it."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self.results: list[Result] = []
        self.events: list[Event] = []
        self.letters: list[Letter] = []
        self._names = names
        self._places = [
            TopicPartition(topic, number)
            for topic in (names.results, names.sessions, names.letters)
            for number in range(PARTITIONS)
        ]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Reader":
        """Connect and begin to read."""
        await within(_START_SECONDS, self._consumer.start(), "the reader to connect")
        self._consumer.assign(self._places)
        self._task = asyncio.create_task(self._read(), name="chaos-reader")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._task is not None:
            await end(self._task, "the reader's end")
        await within(_STOP_SECONDS, self._consumer.stop(), "the reader's disconnecting")

    async def to_end(self) -> None:
        """Wait until all that has been written is read. Raises TooLong after a minute."""
        await within(_END_SECONDS, self._to_end(), "everything on the output topics to be read")

    async def _to_end(self) -> None:
        while True:
            count = self._count
            await asyncio.sleep(_QUIET_SECONDS)
            if self._task is not None and self._task.done():
                self._task.result()  # it reads for ever, so this raises what has ended it
            ends = await self._consumer.end_offsets(self._places)
            at = [await self._consumer.position(place) for place in self._places]
            reached = all(here >= ends[p] for here, p in zip(at, self._places, strict=True))
            if reached and count == self._count:
                return

    @property
    def _count(self) -> int:
        return len(self.results) + len(self.events) + len(self.letters)

    async def _read(self) -> None:
        while True:
            try:
                found = await self._consumer.getmany(timeout_ms=500)
            except KafkaError:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            for place, records in found.items():
                for record in records:
                    self._take(place.topic, record)

    def _take(self, topic: str, record: "ConsumerRecord[bytes, bytes]") -> None:
        if topic == self._names.results:
            self.results.append(_result(record))
        elif topic == self._names.sessions:
            self.events.append(_event(record))
        else:
            self.letters.append(_letter(record))


def _result(record: "ConsumerRecord[bytes, bytes]") -> Result:
    body = _body(record)
    return Result(
        id=body["id"],
        session=(record.key or b"").decode(),
        origin=_origin(body),
        partition=record.partition,
        place=record.offset,
        written_ms=record.timestamp,
        task=body["task"],
        level=body["level"],
        start=body["start"],
        end=body["end"],
        pid=body["pid"],
    )


def _event(record: "ConsumerRecord[bytes, bytes]") -> Event:
    body = _body(record)
    summary = body.get("summary", {})
    return Event(
        id=body["id"],
        session=(record.key or b"").decode(),
        origin=_origin(body),
        partition=record.partition,
        written_ms=record.timestamp,
        kind=body["event"],
        resumed=body.get("resumed", False),
        reason=body.get("reason", ""),
        audio_ms=summary.get("audio_ms", 0),
        results=summary.get("results", 0),
    )


def _letter(record: "ConsumerRecord[bytes, bytes]") -> Letter:
    headers = {name: value.decode() for name, value in record.headers}
    partition, offset = int(headers["dlq-partition"]), int(headers["dlq-offset"])
    return Letter(partition, offset, headers["dlq-reason"], record.timestamp)


def _body(record: "ConsumerRecord[bytes, bytes]") -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads(record.value or b"")
    return body


def _origin(body: Mapping[str, Any]) -> Origin:
    incarnation = body["incarnation"]
    return Origin(incarnation["partition"], incarnation["offset"])
