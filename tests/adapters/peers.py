"""The two APIs that a suite of the analyzer ports runs against: in memory, and a gRPC server."""

import asyncio
from typing import Protocol

import grpc

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.analyzer.status import FAULTS
from consumer.errors import StreamFailed
from consumer.model import Hertz, LevelChoice, StreamConfig, StreamMessage
from consumer.pb import api_pb2 as pb
from consumer.ports import Analyzer
from tests.adapters.api_server import PATIENCE_SECONDS, ApiServer, ServedStream
from tests.fakes.analyzer import FakeAnalyzer, FakeStream

_LEVELS = {None: LevelChoice.ALL, 0: LevelChoice.SEGMENT, 1: LevelChoice.UTTERANCE}


class Answerer(Protocol):
    """The server's end of a stream."""

    async def config(self) -> StreamConfig:
        """The config, which must come first and alone."""
        ...

    async def hear(self) -> bytes | None:
        """The next audio message; None at the half-close."""
        ...

    async def send(self, message: StreamMessage) -> None:
        """Answer something."""
        ...

    def end(self) -> None:
        """End with OK."""
        ...

    def fail(self, code: str, detail: str) -> None:
        """End with an error."""
        ...

    async def gone(self) -> None:
        """Wait until the client has given the stream up."""
        ...


class Peer(Protocol):
    """An API, and the analyzer that reaches it."""

    @property
    def analyzer(self) -> Analyzer:
        """What is tested."""
        ...

    async def accept(self) -> Answerer:
        """The server's end of the next stream opened."""
        ...


class FakeAnswerer:
    """In memory."""

    def __init__(self, stream: FakeStream) -> None:
        self._stream = stream

    async def config(self) -> StreamConfig:
        return self._stream.config

    async def hear(self) -> bytes | None:
        return await self._stream.hear()

    async def send(self, message: StreamMessage) -> None:
        self._stream.send(message)

    def end(self) -> None:
        self._stream.end()

    def fail(self, code: str, detail: str) -> None:
        self._stream.fail(StreamFailed(FAULTS[grpc.StatusCode[code]], code, detail))

    async def gone(self) -> None:
        assert await self._stream.hear() is None
        assert self._stream.cancelled


class FakePeer:
    """In memory."""

    def __init__(self) -> None:
        self.analyzer = FakeAnalyzer()
        self._accepted = 0

    async def accept(self) -> Answerer:
        while len(self.analyzer.streams) == self._accepted:
            self.analyzer.opened.clear()
            await self.analyzer.opened.wait()
        self._accepted += 1
        return FakeAnswerer(self.analyzer.streams[self._accepted - 1])


class ServedAnswerer:
    """Behind a gRPC server."""

    def __init__(self, stream: ServedStream, cid: int, token: str) -> None:
        self._stream = stream
        self._credentials = (cid, token)

    async def config(self) -> StreamConfig:
        message = await self._heard()
        assert message is not None
        assert message.HasField("config")
        assert not message.audio_content
        config = message.config
        level = config.level if config.HasField("level") else None
        return StreamConfig(Hertz(config.sample_rate_hertz), _LEVELS[level])

    async def hear(self) -> bytes | None:
        message = await self._heard()
        assert message is None or not message.HasField("config")
        return None if message is None else message.audio_content

    async def send(self, message: StreamMessage) -> None:
        await self._stream.send(response(message))

    def end(self) -> None:
        self._stream.end()

    def fail(self, code: str, detail: str) -> None:
        self._stream.end(grpc.StatusCode[code], detail)

    async def gone(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._stream.gone.wait()

    async def _heard(self) -> pb.AudioStream | None:
        message = await self._stream.hear()
        assert message is None or (message.cid, message.x_auth_token) == self._credentials
        return message


class ServedPeer:
    """Behind a gRPC server; each message must carry the credentials."""

    def __init__(self, server: ApiServer, analyzer: GrpcAnalyzer, cid: int, token: str) -> None:
        self.analyzer = analyzer
        self._server = server
        self._credentials = (cid, token)

    async def accept(self) -> Answerer:
        return ServedAnswerer(await self._server.accept(), *self._credentials)


def response(message: StreamMessage) -> pb.StreamResult:
    """A message as the API writes it."""
    return pb.StreamResult(
        cid=message.cid,
        pid=message.pid,
        message_id=message.message_id,
        result=[
            pb.InferenceResult(
                id=result.id,
                start_time=f"{float(result.start):.2f}",
                end_time=f"{float(result.end):.2f}",
                task=result.task,
                level=result.level.value,
                final_label=result.final_label,
                prediction=[
                    pb.Prediction(label=p.label, posterior=str(p.posterior), logit="")
                    for p in result.predictions
                ],
                embedding="",
            )
            for result in message.results
        ],
    )
