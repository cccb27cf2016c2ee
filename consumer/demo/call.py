"""One call, and playing it to the topic at the pace of a person or faster."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from consumer.codec.fields import ChunkFields
from consumer.codec.input import encode_chunk
from consumer.demo.guise import Guise
from consumer.model import Milliseconds, Outgoing, SessionKey
from consumer.ports import Sink

_UNACKNOWLEDGED = 500
"""Records of a call that may wait for the brokers; more would only fill memory."""

Heard = Callable[[SessionKey, float], None]
"""Told of each chunk that was sent: whose, and how many seconds of audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """data: all that is sent, as the guise writes it. ended: an end mark closes it.

    fields: said on every record beside what the guise says.
    """

    key: SessionKey
    guise: Guise
    data: bytes
    fields: ChunkFields = field(default_factory=ChunkFields)
    ended: bool = True

    @property
    def seconds(self) -> float:
        """Length, to the precision of a header."""
        return len(self.data) / self.guise.bytes_per_second

    def records(self, topic: str) -> Iterator[tuple[float, Outgoing]]:
        """The chunks and the end mark, each built when asked for, with its length in seconds."""
        spoken = self.guise.fields.under(self.fields)
        for number, chunk in enumerate(self.guise.cut(self.data)):
            fields = replace(spoken, sequence=number, captured_at=_now())
            record = encode_chunk(topic, self.key, chunk, fields, content=self.guise.content)
            yield len(chunk) / self.guise.bytes_per_second, record
        if self.ended:
            mark = encode_chunk(topic, self.key, None, self.fields, content=self.guise.content)
            yield 0.0, mark


async def play(call: Call, topic: str, sink: Sink, speed: float, heard: Heard) -> None:
    """Send a call, each chunk when its last sample would have been spoken.

    speed: 1 for real time, 2 for twice as fast, 0 for no pauses. Returns when the brokers have
    acknowledged everything. Raises KafkaFailed, KafkaRefused, RecordTooLarge.
    """
    loop = asyncio.get_running_loop()
    start, spoken = loop.time(), 0.0
    waiting: deque[asyncio.Future[None]] = deque()
    for seconds, record in call.records(topic):
        spoken += seconds
        if speed:
            await asyncio.sleep(start + spoken / speed - loop.time())
        waiting.append(await sink.send(record))
        heard(call.key, seconds)
        if len(waiting) > _UNACKNOWLEDGED:
            await waiting.popleft()
    await asyncio.gather(*waiting)


def _now() -> Milliseconds:
    return Milliseconds(time.time_ns() // 1_000_000)
