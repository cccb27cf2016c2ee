"""A TCP proxy that can cut connections and hold everything up."""

import asyncio
from contextlib import suppress

from consumer.demo.port import HOST

_PIECE_BYTES = 65_536
_PIECES = 128
"""That wait in one direction at most."""

_Pipe = asyncio.Queue[tuple[float, bytes]]


class Proxy:
    """Between `port`, where it listens, and `target`; `async with` it.

    delay: seconds by which every byte comes later, either way; may be set at any time.
    """

    def __init__(self, port: int, target: int) -> None:
        self.delay = 0.0
        self.port = port
        self._target = target
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        """Listen."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut everything and stop."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    @property
    def connections(self) -> int:
        """That are open."""
        return len(self._pairs)

    def cut(self, whom: int | None = None) -> int:
        """Break one connection, chosen by this number, or all; returns how many."""
        pairs = sorted(self._pairs, key=id)
        if whom is not None and pairs:
            pairs = [pairs[whom % len(pairs)]]
        for pair in pairs:
            for writer in pair:
                writer.transport.abort()
        return len(pairs)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="proxy-connection")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        try:
            with suppress(OSError, ExceptionGroup):
                async with asyncio.TaskGroup() as tasks:
                    for source, sink in ((reader, far_writer), (far_reader, writer)):
                        pipe: _Pipe = asyncio.Queue(_PIECES)
                        tasks.create_task(self._take(source, pipe), name="proxy-take")
                        tasks.create_task(_give(pipe, sink), name="proxy-give")
        finally:
            self._pairs.discard(pair)
            for end in pair:
                end.transport.abort()

    async def _take(self, source: asyncio.StreamReader, pipe: _Pipe) -> None:
        loop = asyncio.get_running_loop()
        while piece := await source.read(_PIECE_BYTES):
            await pipe.put((loop.time() + self.delay, piece))
        await pipe.put((loop.time() + self.delay, b""))


class _Closed(Exception):
    """One side has closed; both are closed then, as gRPC needs no more."""


async def _give(pipe: _Pipe, sink: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, piece = await pipe.get()
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        if not piece:
            raise _Closed
        sink.write(piece)
        await sink.drain()
