"""A client of the sandbox, as plain as can be: messages in, messages and a status out.

Whole calls go through gRPC's blocking client, as the vendor's own kit does: when a server ends a
call while its asyncio client is still writing, that client may report INTERNAL instead of the
status that was sent. The asyncio client is for tests that drive a call step by step.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from consumer.pb import api_pb2
from consumer.sandbox.server import SERVICE

CID, TOKEN = 7, "s3cret"

_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that came back."""

    messages: Sequence[api_pb2.StreamResult]
    status: str
    detail: str

    @property
    def results(self) -> list[api_pb2.InferenceResult]:
        """All results, one after the other."""
        return [result for message in self.messages for result in message.result]

    @property
    def times(self) -> list[tuple[str, str, str]]:
        """Level, start and end of every result."""
        return [
            (api_pb2.Level.Name(result.level), result.start_time, result.end_time)
            for result in self.results
        ]


class Caller:
    """Calls one method of the service. blocking, stepping: one connection each."""

    def __init__(
        self,
        blocking: grpc.Channel,
        stepping: grpc.aio.Channel,
        threads: ThreadPoolExecutor,
        method: str,
    ) -> None:
        self._call, self._open = (
            channel.stream_stream(
                f"/{SERVICE}/{method}",
                request_serializer=api_pb2.AudioStream.SerializeToString,
                response_deserializer=api_pb2.StreamResult.FromString,
            )
            for channel in (blocking, stepping)
        )
        self._threads = threads

    async def send(self, *messages: api_pb2.AudioStream, **headers: str) -> Reply:
        """Send all messages, half-close and collect what comes; see `open` for headers."""

        def run() -> Reply:
            received: list[api_pb2.StreamResult] = []
            call = self._call(iter(messages), metadata=_metadata(headers), timeout=_PATIENCE)
            try:
                for message in call:
                    received.append(message)  # noqa: PERF402 - what came before an error counts
            except grpc.RpcError:
                pass  # the status tells
            return Reply(received, call.code().name, call.details() or "")

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    def open(self, **headers: str) -> Any:
        """A call that the test drives itself; an underscore in a header's name is a dash."""
        return self._open(metadata=_metadata(headers), timeout=_PATIENCE)


async def finish(call: Any) -> Reply:
    """Collect what still comes on a call, and its status."""
    messages: list[api_pb2.StreamResult] = []
    try:
        while (message := await call.read()) is not grpc.aio.EOF:
            messages.append(message)
    except grpc.aio.AioRpcError as error:
        return Reply(messages, error.code().name, error.details() or "")
    return Reply(messages, (await call.code()).name, await call.details())


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the sandbox has no event for it
            await asyncio.sleep(0.005)


def config(rate: int = 16_000, **fields: Any) -> api_pb2.AudioStream:
    """A config message with good credentials."""
    settings = api_pb2.AudioConfig(sample_rate_hertz=rate, **fields)
    return api_pb2.AudioStream(cid=CID, x_auth_token=TOKEN, config=settings)


def audio(pcm: bytes) -> api_pb2.AudioStream:
    """An audio message with good credentials."""
    return api_pb2.AudioStream(cid=CID, x_auth_token=TOKEN, audio_content=pcm)


def cut(pcm: bytes, size: int = 8_000) -> Iterable[api_pb2.AudioStream]:
    """Audio messages of `size` bytes; the last may be shorter."""
    return [audio(pcm[start : start + size]) for start in range(0, len(pcm), size)]


@asynccontextmanager
async def connected(target: object, method: str = "DeepfakeDetection") -> AsyncIterator[Caller]:
    """A caller with connections of its own."""
    with (
        ThreadPoolExecutor(64) as threads,
        grpc.insecure_channel(str(target), options=_OWN_CONNECTION) as blocking,
    ):
        async with grpc.aio.insecure_channel(str(target), options=_OWN_CONNECTION) as stepping:
            yield Caller(blocking, stepping, threads, method)


def _metadata(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), value) for name, value in headers.items()]
