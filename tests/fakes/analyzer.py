"""The detection API in memory: what we open, the test answers."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from consumer.errors import Fault, LocalProtocolError, StreamFailed
from consumer.model import StreamConfig, StreamMessage
from tests.fakes.script import Script

CANCELLED: Final = StreamFailed(Fault.TRANSIENT, "CANCELLED", "given up by this side")
EARLY_OK: Final = StreamFailed(Fault.TRANSIENT, "OK", "the server ended before our half-close")


class FakeStream:
    """A `ports.DetectionStream`, and the server's end of it.

    The server's end: config, audio (messages taken so far), half_close_seen, over, cancelled;
    hear, send, end, fail, stop_reading, read_on. Messages sent before the end are read before it.
    """

    def __init__(
        self, number: int, config: StreamConfig, react: "Callable[[FakeStream], None] | None"
    ) -> None:
        self.number = number
        self.config = config
        self.audio: list[bytes] = []
        self.half_close_seen = False
        self.over = False
        self.cancelled = False
        self._react = react
        self._half_closed = False
        self._inbox: deque[StreamMessage] = deque()
        self._end: StreamFailed | None = None
        self._news = asyncio.Event()
        self._heard = asyncio.Event()
        self._hearing = 0
        self._reading = asyncio.Event()
        self._reading.set()

    @property
    def half_closed(self) -> bool:
        """The half-close has been written."""
        return self._half_closed

    async def write(self, audio: bytes) -> None:
        """Write one audio message; waits while the server doesn't read."""
        try:
            await self._taken()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self.audio.append(audio)
        self._reacted()

    async def half_close(self) -> None:
        """Say that no more audio comes."""
        await asyncio.sleep(0)
        if self.over:
            raise self._failure()
        self._half_closed = True
        if self._reading.is_set():
            self.half_close_seen = True
            self._reacted()

    async def read(self) -> StreamMessage | None:
        """The next message; None when the stream ended with OK."""
        while not self._inbox:
            if self.over:
                if self._end is None:
                    return None
                raise self._failure()
            self._news.clear()
            try:
                await self._news.wait()
            except asyncio.CancelledError:
                self.cancel()
                raise
        return self._inbox.popleft()

    def cancel(self) -> None:
        """Give the stream up at once."""
        if not self.over:
            self.cancelled = True
            self._inbox.clear()
            self._finish(CANCELLED)

    # The server's end.

    async def hear(self) -> bytes | None:
        """The next audio message; None at the half-close or when the stream is over."""
        while self._hearing == len(self.audio):
            if self.half_close_seen or self.over:
                return None
            self._heard.clear()
            await self._heard.wait()
        self._hearing += 1
        return self.audio[self._hearing - 1]

    def send(self, message: StreamMessage) -> None:
        """Answer something."""
        self._inbox.append(message)
        self._news.set()

    def end(self) -> None:
        """End with OK."""
        self._finish(None)

    def fail(self, failure: StreamFailed) -> None:
        """End with an error."""
        self._finish(failure)

    def stop_reading(self) -> None:
        """Take no more messages."""
        self._reading.clear()

    def read_on(self) -> None:
        """Take messages again."""
        self._reading.set()
        if self._half_closed and not self.half_close_seen:
            self.half_close_seen = True
            self._reacted()

    def _finish(self, end: StreamFailed | None) -> None:
        if not self.over:
            self.over = True
            self._end = end
            self._news.set()
            self._heard.set()
            self._reading.set()

    async def _taken(self) -> None:
        await asyncio.sleep(0)  # a write always lets others run, as over a network
        await self._reading.wait()
        if self.over:
            raise self._failure()

    def _failure(self) -> StreamFailed:
        end = self._end or EARLY_OK
        return StreamFailed(end.fault, end.code, end.detail)

    def _reacted(self) -> None:
        self._heard.set()
        if self._react is not None:
            self._react(self)


class FakeAnalyzer:
    """A `ports.Analyzer`. Calls to plan: open, probe.

    streams: all that were opened. react: called with a stream after each message that it took and
    after its half-close; it plays the server's part. opened: set when a stream was opened.
    """

    def __init__(self, react: Callable[[FakeStream], None] | None = None) -> None:
        self.script = Script()
        self.react = react
        self.streams: list[FakeStream] = []
        self.opened = asyncio.Event()
        self._stopped = False

    async def open(self, config: StreamConfig) -> FakeStream:
        """Open a stream."""
        if self._stopped:
            raise LocalProtocolError("the analyzer is stopped")
        await self.script.play("open")
        stream = FakeStream(len(self.streams), config, self.react)
        self.streams.append(stream)
        self.opened.set()
        return stream

    async def probe(self) -> None:
        """Works, unless planned otherwise."""
        await self.script.play("probe")

    async def stop(self) -> None:
        """Break all streams."""
        self._stopped = True
        for stream in self.streams:
            stream.cancel()
