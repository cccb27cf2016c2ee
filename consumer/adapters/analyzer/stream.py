"""One stream by grpc.aio: config, audio, half-close, results, status.

Waiting has rules of its own there: cancelling a pending read or write cancels the whole call, a
call that was cancelled from this side answers with CancelledError as if the asking task had been,
and a write after the end raises an error without the status. All of that ends here; what goes up
is StreamFailed with the status, whoever asks.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc

from consumer.adapters.analyzer.status import GIVEN_UP, failure
from consumer.adapters.analyzer.words import Words
from consumer.errors import StreamFailed
from consumer.model import StreamMessage

_FOREIGN: Final = (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.BaseError)


class GrpcStream:
    """A `ports.DetectionStream` by grpc.aio. One task writes, one reads, anyone may cancel.

    The config is written by a task of the stream's own, so that opening one need not wait for a
    connection; every later message waits for it.
    """

    def __init__(self, call: Any, words: Words, over: Callable[[], None]) -> None:
        self._call = call
        self._words = words
        self._half_closed = False
        self._closing: asyncio.Event | None = None
        call.add_done_callback(lambda _: over())
        self._config = asyncio.create_task(self._write(words.config), name="stream config")
        self._config.add_done_callback(_seen)

    @property
    def half_closed(self) -> bool:
        """The half-close has been written."""
        return self._half_closed

    async def configured(self, patience_seconds: float) -> None:
        """Wait for the config to be written, at most so long. Raises StreamFailed.

        Cancelling it leaves the stream as it is.
        """
        done, _ = await asyncio.wait((self._config,), timeout=patience_seconds)
        if done:
            await self._ready()

    async def write(self, audio: bytes) -> None:
        """Write one audio message, waiting for flow control. Raises StreamFailed.

        Cancelling it cancels the whole stream.
        """
        if not self._config.done():
            await self._ready()
        await self._write(self._words.audio(audio))

    async def half_close(self) -> None:
        """Say that no more audio comes. Raises StreamFailed, also when the stream is over.

        Cancelling it cancels the whole stream.
        """
        await self._ready()
        if self._call.done():  # grpc.aio would do nothing then, and not say so
            raise await self._failure()
        self._closing = asyncio.Event()
        try:
            await self._call.done_writing()
            self._half_closed = True
        except _FOREIGN as error:
            raise await self._failure(error) from error
        except asyncio.CancelledError:
            self._give_up()
            raise
        finally:
            self._closing.set()

    async def read(self) -> StreamMessage | None:
        """The next message; None when the stream ended with OK. Raises StreamFailed.

        Cancelling it cancels the whole stream.
        """
        try:
            message = await self._call.read()
        except _FOREIGN as error:
            raise await self._failure(error) from error
        except asyncio.CancelledError:
            self._give_up()
            raise
        if message is not grpc.aio.EOF:
            return self._words.result(message)
        if self._closing is not None:  # the OK may overtake the news that our half-close went out
            await self._closing.wait()
        return None

    def cancel(self) -> None:
        """Give the stream up at once; harmless when it is over."""
        self._call.cancel()
        self._config.cancel()

    async def _ready(self) -> None:
        try:
            await self._config
        except asyncio.CancelledError:
            self._give_up()
            raise

    async def _write(self, message: bytes) -> None:
        try:
            await self._call.write(message)
        except _FOREIGN as error:
            raise await self._failure(error) from error
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Tell the two meanings of CancelledError apart: this task's end, or only the call's.

        The call ends in both. Raises StreamFailed for the latter.
        """
        self._call.cancel()  # grpc.aio forgets to, while it waits for a connection
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            raise failure(grpc.StatusCode.CANCELLED, GIVEN_UP) from None

    async def _failure(self, error: Exception | None = None) -> StreamFailed:
        """What ended the stream: the status in the error, else that of the call."""
        if isinstance(error, grpc.aio.AioRpcError):
            return failure(error.code(), error.details(), self._words.secret)
        self._call.cancel()  # or there might be no status to wait for
        return failure(await self._call.code(), await self._call.details(), self._words.secret)


def _seen(config: "asyncio.Task[None]") -> None:
    if not config.cancelled():
        config.exception()  # the writer or the reader tells of it
