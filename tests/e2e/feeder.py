"""Puts calls on the input topic, and remembers where every piece of them lies.

It writes records by hand and not with the service's codec: what the oracle believes must not
come from what it judges.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from tests.e2e.calls import Call

Headers = Sequence[tuple[str, bytes]]

_STEP_SECONDS = 0.1

_NULL = object()
"""Stands for a null value: the client refuses a record with neither key nor value."""


class Place(NamedTuple):
    """A record of a call: where it lies, and the call's frames in it."""

    partition: int
    offset: int
    start: int
    frames: int


@dataclass(slots=True)
class Sent:
    """What of a call was sent so far. places: in order; the end mark's has no frames."""

    call: Call
    places: list[Place] = field(default_factory=list)
    chunks: int = 0
    ended: bool = False

    @property
    def frames(self) -> int:
        """Of audio."""
        return sum(place.frames for place in self.places)

    def note(self, partition: int, offset: int) -> None:
        """The next chunk lies here."""
        start = self.chunks * self.call.chunk_frames
        frames = min(self.call.chunk_frames, self.call.frames - start)
        self.places.append(Place(partition, offset, start, frames))
        self.chunks += 1

    def note_end(self, partition: int, offset: int) -> None:
        """The end mark lies here."""
        self.places.append(Place(partition, offset, self.frames, 0))
        self.ended = True


class Feeder:
    """Writes to one topic; `async with` it. compression: as Kafka's producers name it.

    clocks: by how many seconds the clocks of some keys' producers are ahead. ends: the offset after
    the last record of each partition. (What the embedded broker says about that is at times one
    too low.)
    """

    def __init__(self, brokers: str, topic: str, compression: str | None = None) -> None:
        self.sent: dict[str, Sent] = {}
        self.ends: dict[int, int] = {}
        self.clocks: dict[str, float] = {}
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=brokers,
            compression_type=compression,
            linger_ms=5,
            value_serializer=lambda value: None if value is _NULL else value,
        )

    async def __aenter__(self) -> "Feeder":
        """Connect."""
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def play(
        self, calls: Iterable[Call], *, until: float | None = None, end: bool = False
    ) -> None:
        """Send what is left of these calls up to `until` seconds, side by side, unpaced.

        end: with an end mark behind. Returns when all of it is on the topic.
        """
        sent = [self.sent.setdefault(call.key, Sent(call)) for call in calls]
        waiting = [
            (one, await self._send_chunk(one.call, number))
            for number in range(max(one.call.chunks for one in sent))
            for one in sent
            if number >= one.chunks and _within(one.call, number, until)
        ]
        for one, done in waiting:
            one.note(*_place(await done))
        if end:
            for one in sent:
                await self.end(one.call)

    @asynccontextmanager
    async def steadily(self, calls: Sequence[Call], pace: float = 1.0) -> AsyncIterator[None]:
        """Send what is left of these calls as it is spoken, while the block lasts.

        pace: seconds of audio in a second.
        """
        feeding = asyncio.create_task(self._steadily(calls, pace), name="steady feeder")
        try:
            yield
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
        if not feeding.cancelled():
            feeding.result()

    async def _steadily(self, calls: Sequence[Call], pace: float) -> None:
        loop = asyncio.get_running_loop()
        done = min(self.sent[c.key].frames / c.rate if c.key in self.sent else 0 for c in calls)
        begun = loop.time() - done / pace
        whole = max(call.frames / call.rate for call in calls)
        while done < whole:
            await asyncio.sleep(_STEP_SECONDS)
            done = (loop.time() - begun) * pace
            await self.play(calls, until=done)

    def adopt(self, other: "Feeder") -> None:
        """Count what another feeder has sent to the same topic as sent here."""
        self.sent |= other.sent
        for number, end in other.ends.items():
            self.ends[number] = max(self.ends.get(number, 0), end)

    async def end(self, call: Call) -> None:
        """Send the end mark of a call: a null value."""
        one = self.sent[call.key]
        written = await self.put(call.key.encode(), None, (), call.partition)
        one.note_end(*_place(await written))

    async def put(
        self, key: bytes | None, value: bytes | None, headers: Headers, partition: int
    ) -> "asyncio.Future[RecordMetadata]":
        """Hand any record over; the future tells where it lies."""
        written: asyncio.Future[RecordMetadata] = await self._producer.send(
            self._topic,
            value=_NULL if value is None else value,
            key=key,
            partition=partition,
            headers=list(headers),
            timestamp_ms=self._now_ms(key),
        )
        written.add_done_callback(self._note_end)
        return written

    def _now_ms(self, key: bytes | None) -> int | None:
        """What the clock of this key's producer says; None where it is right."""
        ahead = self.clocks.get((key or b"").decode(errors="replace"))
        return None if ahead is None else int((time.time() + ahead) * 1000)

    def _note_end(self, written: "asyncio.Future[RecordMetadata]") -> None:
        if written.cancelled() or written.exception():
            return
        place = written.result()
        self.ends[place.partition] = max(self.ends.get(place.partition, 0), place.offset + 1)

    async def _send_chunk(self, call: Call, number: int) -> "asyncio.Future[RecordMetadata]":
        key = call.key.encode()
        return await self.put(key, call.chunk(number), call.headers(number), call.partition)


def _place(written: RecordMetadata) -> tuple[int, int]:
    return written.partition, written.offset


def _within(call: Call, number: int, until: float | None) -> bool:
    end = call.chunks if until is None else int(until * 1000) // call.chunk_ms
    return number < min(end, call.chunks)
