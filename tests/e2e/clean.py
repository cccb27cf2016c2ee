"""What the API finds in a call that it hears whole, on one stream, from someone who does nothing
else: the measure for what the service publishes of the same call.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

import grpc

from consumer.pb import api_pb2

_METHOD = "/behavioral_api.grpc.v1.BehavioralStreamingApi/DeepfakeDetection"
_MESSAGE_SECONDS = 0.5
SESSION = "clean-run"
"""Under this name the sandbox's audit tells such streams from the service's, which have none."""


class Span(NamedTuple):
    """A finding, in seconds from the start of the call."""

    level: str
    start: float
    end: float


async def clean_run(target: str, cid: int, token: str, heard: bytes, rate: int) -> list[Span]:
    """Everything that is found, in order. heard: signed 16-bit samples at `rate` Hz."""
    async with grpc.aio.insecure_channel(target) as channel:
        method = channel.stream_stream(
            _METHOD, api_pb2.AudioStream.SerializeToString, api_pb2.StreamResult.FromString
        )
        messages = _messages(cid, token, heard, rate)
        return [
            Span(api_pb2.Level.Name(result.level), float(result.start_time), float(result.end_time))
            async for message in method(messages, metadata=(("x-session-id", SESSION),))
            for result in message.result
        ]


async def _messages(
    cid: int, token: str, heard: bytes, rate: int
) -> AsyncIterator[api_pb2.AudioStream]:
    config = api_pb2.AudioConfig(encoding=api_pb2.LINEAR_PCM, sample_rate_hertz=rate)
    yield api_pb2.AudioStream(cid=cid, x_auth_token=token, config=config)
    size = 2 * int(rate * _MESSAGE_SECONDS)
    for start in range(0, len(heard), size):
        piece = heard[start : start + size]
        yield api_pb2.AudioStream(cid=cid, x_auth_token=token, audio_content=piece)


def spoken(spans: list[Span]) -> set[int]:
    """The whole seconds that lie in an utterance."""
    return {
        second
        for span in spans
        if span.level == "utterance"
        for second in range(int(span.start), int(span.end + 0.5))
    }


def agree(one: set[int], other: set[int]) -> bool:
    """The same seconds, give or take one at each end of each stretch."""
    return one <= _wider(other) and other <= _wider(one)


def _wider(seconds: set[int]) -> set[int]:
    return {second + step for second in seconds for step in (-1, 0, 1)}
