"""A real gRPC server with no mind of its own: a test reads and answers each stream by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from consumer.pb import api_pb2 as pb

SERVICE = "behavioral_api.grpc.v1.BehavioralStreamingApi"
PATIENCE_SECONDS = 20.0


class ServedStream:
    """The server's end of one stream.

    peer: the connection it came by. method: what was called. gone: set when the call is over,
    however it ended.
    """

    def __init__(self, context: Any, requests: AsyncIterator[pb.AudioStream], method: str) -> None:
        self.peer: str = context.peer()
        self.method = method
        self.gone = asyncio.Event()
        self._context = context
        self._requests = requests
        self._over = asyncio.Event()
        self._status: tuple[grpc.StatusCode, str] = (grpc.StatusCode.OK, "")

    async def hear(self) -> pb.AudioStream | None:
        """The next message; None at the half-close."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._requests, None)

    async def send(self, message: pb.StreamResult | bytes) -> None:
        """Answer something; bytes go out as they are."""
        raw = message if isinstance(message, bytes) else message.SerializeToString()
        await self._context.write(raw)

    def end(self, code: grpc.StatusCode = grpc.StatusCode.OK, detail: str = "") -> None:
        """End with this status."""
        self._status = (code, detail)
        self._over.set()

    async def run(self) -> None:
        """Live until the test ends the stream or the client gives it up."""
        try:
            await self._over.wait()
            code, detail = self._status
            if code is not grpc.StatusCode.OK:
                await self._context.abort(code, detail)
        finally:
            self.gone.set()


@dataclass
class ApiServer:
    """A running server; each new stream waits in `streams`."""

    server: grpc.aio.Server
    port: int
    streams: asyncio.Queue[ServedStream] = field(default_factory=asyncio.Queue)

    @property
    def target(self) -> str:
        """HOST:PORT."""
        return f"localhost:{self.port}"

    async def accept(self) -> ServedStream:
        """The next stream that a client opens."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.streams.get()


@asynccontextmanager
async def api_server(
    credentials: grpc.ServerCredentials | None = None,
    options: tuple[tuple[str, int], ...] = (),
    port: int = 0,
) -> AsyncIterator[ApiServer]:
    """A server for a while, with TLS when given credentials."""
    server = grpc.aio.server(options=options)
    running = ApiServer(server, 0)
    server.add_generic_rpc_handlers([_handlers(running)])
    address = f"localhost:{port}"
    running.port = (
        server.add_secure_port(address, credentials)
        if credentials
        else server.add_insecure_port(address)
    )
    await server.start()
    try:
        yield running
    finally:
        await server.stop(None)


def _handlers(running: ApiServer) -> grpc.GenericRpcHandler:
    def handler(method: str) -> grpc.RpcMethodHandler:
        async def serve(requests: AsyncIterator[pb.AudioStream], context: Any) -> None:
            stream = ServedStream(context, requests, method)
            running.streams.put_nowait(stream)
            await stream.run()

        return grpc.stream_stream_rpc_method_handler(serve, pb.AudioStream.FromString)

    methods = ("DeepfakeDetection", "StreamAudio")
    return grpc.method_handlers_generic_handler(SERVICE, {m: handler(m) for m in methods})
