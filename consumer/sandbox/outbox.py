"""The way back of one stream: numbers its messages and writes them, late if a fault wants it so.

A task of its own writes, so that late results don't keep the stream from being read. A caller who
takes no results stops being read once the outbox is full, as flow control would have it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from consumer.pb import api_pb2

_ROOM = 1_000
"""Results that may wait for a caller who doesn't take them: more than half an hour of speech."""

Write = Callable[[api_pb2.StreamResult], Awaitable[None]]


class Outbox:
    """Results in order, one per message, as the API sends them.

    write: sends a message. cid, pid: what each message says.
    """

    def __init__(self, write: Write, cid: int, pid: int) -> None:
        self._write = write
        self._cid = cid
        self._pid = pid
        self._next_id = 0
        self._queue: asyncio.Queue[tuple[float, api_pb2.StreamResult | None]] = asyncio.Queue(_ROOM)

    async def put(self, results: Iterable[api_pb2.InferenceResult], delay: float) -> None:
        """Send results `delay` seconds from now."""
        for result in results:
            message = api_pb2.StreamResult(
                cid=self._cid, pid=self._pid, message_id=self._next_id, result=[result]
            )
            self._next_id += 1
            await self._queue.put((_now() + delay, message))

    async def close(self, delay: float) -> None:
        """Nothing more follows; `deliver` returns `delay` seconds from now, or later."""
        await self._queue.put((_now() + delay, None))

    async def deliver(self) -> None:
        """Write until closed."""
        while True:
            due, message = await self._queue.get()
            if due > _now():
                await asyncio.sleep(due - _now())
            if message is None:
                return
            await self._write(message)


def _now() -> float:
    return asyncio.get_running_loop().time()
