"""Plays all calls onto the input topic at their pace, and remembers where every record lies."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import Fed, Place
from tests.chaos.patience import within
from tests.chaos.sound.speech import RATE

_Written = asyncio.Future[RecordMetadata]

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_WRITE_SECONDS = 90.0
"""More than one request may take, after a broker's death in the middle of it."""

_NULL = object()
"""Stands for a null value: the client refuses a record with neither key nor value."""


@dataclass(slots=True)
class _Sent:
    call: Call
    chunks: list[_Written] = field(default_factory=list)
    end: _Written | None = None


class Feeder:
    """Writes to one topic; `async with` it. behind: the most seconds that it was ever late."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.behind = 0.0
        self._topic = topic
        self._sent: list[_Sent] = []
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            enable_idempotence=True,
            linger_ms=20,
            # A broker that dies makes writing wait; giving a record up would spoil the run.
            request_timeout_ms=60_000,
            value_serializer=lambda value: None if value is _NULL else value,
        )

    async def __aenter__(self) -> "Feeder":
        """Connect."""
        await within(_START_SECONDS, self._producer.start(), "the feeder to connect")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await within(_STOP_SECONDS, self._producer.stop(), "the feeder's disconnecting")

    async def play(self, calls: Sequence[Call], start: float) -> None:
        """All calls from beginning to end; start: of the run, by the loop's clock."""
        by_key: dict[str, list[Call]] = {}
        for call in calls:
            by_key.setdefault(call.key, []).append(call)
        async with asyncio.TaskGroup() as tasks:
            for key, group in by_key.items():
                tasks.create_task(self._key(group, start), name=f"feed-{key}")

    async def fed(self) -> list[Fed]:
        """Where everything lies, once it has been written. Raises TooLong."""
        return await within(_WRITE_SECONDS, self._fed(), "all that was fed to be written")

    async def _fed(self) -> list[Fed]:
        return [await _fed(sent) for sent in self._sent]

    async def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""
        ends: dict[int, int] = {}
        for fed in await self.fed():
            last = fed.end if fed.end is not None else fed.places[-1].offset
            ends[fed.call.partition] = max(ends.get(fed.call.partition, 0), last + 1)
        return ends

    async def _key(self, calls: Sequence[Call], start: float) -> None:
        for call in calls:
            sent = _Sent(call)
            self._sent.append(sent)
            for number in range(call.chunks):
                await self._until(start + call.due(number))
                sent.chunks.append(await self._chunk(call, number))
            await self._until(start + call.over)
            sent.end = await self._put(call, None, [])

    async def _until(self, due: float) -> None:
        ahead = due - asyncio.get_running_loop().time()
        self.behind = max(self.behind, -ahead)
        if ahead > 0:
            await asyncio.sleep(ahead)

    async def _chunk(self, call: Call, number: int) -> _Written:
        first = number * call.chunk_frames
        audio = call.audio(first, min(first + call.chunk_frames, call.frames))
        said = {"encoding": "pcm_s16le", "sample-rate": call.rate, "sequence": number}
        return await self._put(
            call, audio, [(name, str(value).encode()) for name, value in said.items()]
        )

    async def _put(
        self, call: Call, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> _Written:
        written: _Written = await self._producer.send(
            self._topic,
            value=_NULL if value is None else value,
            key=call.key.encode(),
            partition=call.partition,
            headers=headers,
        )
        return written


async def _fed(sent: _Sent) -> Fed:
    call = sent.call
    places: list[Place] = []
    for number, written in enumerate(sent.chunks):
        first = number * call.chunk_frames
        frames = min(call.chunk_frames, call.frames - first)
        places.append(Place((await written).offset, first, frames))
    assert sum(place.frames for place in places) == call.seconds * RATE
    assert sent.end is not None, "it was fed to its end"
    end = await sent.end
    return Fed(call, places, end.offset, end.timestamp)
