"""One stream: the audio pump writes, the result pump reads, and only the latter tells of the end.

Both see a break; if both told of it, it would count twice. And a bounded inbox for audio and
results together would deadlock once the stream is full both ways, so each has its own way.

What was written is told in lots of half a window, or when somebody asks: to tell of every message
would double the work per chunk.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from consumer.core.events import AudioTaken, Event, ResultArrived, StreamBroke, StreamEnded
from consumer.engine.kit import Kit
from consumer.errors import StreamFailed
from consumer.model import BYTES_PER_FRAME, Frames, StreamConfig, StreamNumber
from consumer.ports import DetectionStream


class Pump:
    """tell: hands an event to the session. room: waits until results may be published.

    What waits to be written is bounded by the session, which hands over a window at a time.
    """

    def __init__(
        self,
        number: StreamNumber,
        config: StreamConfig,
        kit: Kit,
        tell: Callable[[Event], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._number = number
        self._config = config
        self._kit = kit
        self._tell = tell
        self._room = room
        self._waiting: deque[bytes | None] = deque()
        self._idle: asyncio.Future[None] | None = None
        self._abandoned = False
        self._untold = self._messages = 0
        self._seconds_per_byte = 1 / (BYTES_PER_FRAME * config.sample_rate)
        window = kit.policies.session.coalesce.in_flight * config.sample_rate
        self._lot = int(window / 2) * BYTES_PER_FRAME or 1
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop

    def start(self, name: str) -> None:
        """Open the stream in a task of its own."""
        self._loop = asyncio.get_running_loop()
        self._task = self._kit.spawn(self._run(), name)

    def push(self, audio: bytes | None) -> None:
        """Write this message when it is its turn; None half-closes."""
        self._waiting.append(audio)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def taken(self) -> AudioTaken | None:
        """What was written and not told yet; it counts as told now."""
        if not self._untold:
            return None
        size, metrics = self._untold, self._kit.metrics
        metrics.count("audio_messages", self._messages)
        metrics.count("audio_bytes", size)
        metrics.count("audio_sent_seconds", size * self._seconds_per_byte)
        self._untold = self._messages = 0
        return AudioTaken(self._number, Frames(size // BYTES_PER_FRAME))

    def cancel(self) -> None:
        """Give the stream up; nothing more is told of it."""
        self._abandoned = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        """Live from open to end. An abandoned stream ends here without a word."""
        code, opened_at = "CANCELLED", self._kit.clock.monotonic()
        try:
            end = await self._live()
            code = end.code if isinstance(end, StreamBroke) else "OK"
        except asyncio.CancelledError:
            if not self._abandoned:
                raise
            return
        finally:
            if self._abandoned:
                self.taken()  # nobody will ask, but it counts
            lived = self._kit.clock.monotonic() - opened_at
            self._kit.metrics.observe("stream_seconds", lived, code)
        if not self._abandoned:
            self._tell(end)

    async def _live(self) -> StreamBroke | StreamEnded:
        try:
            stream = await self._kit.analyzer.open(self._config)
        except StreamFailed as failure:
            return self._broke(failure)
        self._kit.metrics.count("streams_opened")
        writer = self._kit.spawn(self._write(stream), f"audio pump {self._number}")
        try:
            await self._read(stream)
            return StreamEnded(self._number, stream.half_closed)
        except StreamFailed as failure:
            return self._broke(failure)
        finally:
            stream.cancel()
            writer.cancel()
            await asyncio.wait([writer])

    def _broke(self, failure: StreamFailed) -> StreamBroke:
        return StreamBroke(self._number, failure.fault, failure.code, failure.detail)

    async def _read(self, stream: DetectionStream) -> None:
        while (message := await stream.read()) is not None:
            if self._abandoned:
                return
            self._kit.metrics.count("results_received", len(message.results))
            self._tell(ResultArrived(self._number, message))
            await self._room()

    async def _write(self, stream: DetectionStream) -> None:
        try:
            while (audio := await self._next()) is not None:
                await stream.write(audio)
                self._wrote(len(audio))
            await stream.half_close()
        except StreamFailed:
            stream.cancel()  # the result pump sees the break too, and tells

    async def _next(self) -> bytes | None:
        if not self._waiting:
            self._idle = self._loop.create_future()
            await self._idle
        return self._waiting.popleft()

    def _wrote(self, size: int) -> None:
        self._messages += 1
        self._untold += size
        if self._untold >= self._lot and not self._abandoned:
            told = self.taken()
            if told is not None:
                self._tell(told)
