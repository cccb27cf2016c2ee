"""A client of the sandbox, as plain as can be: messages in, messages and a status out."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from consumer.pb import api_pb2
from consumer.sandbox.server import SERVICE

CID, TOKEN = 7, "s3cret"


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
    """Calls one method of the service over one connection."""

    def __init__(self, channel: grpc.aio.Channel, method: str = "DeepfakeDetection") -> None:
        self._open = channel.stream_stream(
            f"/{SERVICE}/{method}",
            request_serializer=api_pb2.AudioStream.SerializeToString,
            response_deserializer=api_pb2.StreamResult.FromString,
        )

    def open(self, **headers: str) -> Any:
        """A call that the test drives itself; an underscore in a header's name is a dash."""
        metadata = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self._open(metadata=metadata, timeout=60)

    async def send(self, *messages: api_pb2.AudioStream, **headers: str) -> Reply:
        """Send all messages, half-close and collect what comes."""
        call = self.open(**headers)
        try:
            for message in messages:
                await call.write(message)
            await call.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.UsageError):
            pass  # the call is over already; its status says why
        return await finish(call)


async def finish(call: Any) -> Reply:
    """Collect what still comes on a call, and its status."""
    messages = []
    try:
        messages.extend([message async for message in call])
    except grpc.aio.AioRpcError as error:
        return Reply(messages, error.code().name, error.details() or "")
    return Reply(messages, (await call.code()).name, await call.details())


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
    """A caller with a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(str(target), options=options) as channel:
        yield Caller(channel, method)
