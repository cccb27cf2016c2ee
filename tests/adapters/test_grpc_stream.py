"""What only a stream over a real network can go wrong in."""

import asyncio
import gc
from collections import Counter

import grpc
import pytest

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.analyzer.stream import GrpcStream
from consumer.adapters.analyzer.words import Words
from consumer.errors import Fault, StreamFailed
from consumer.pb import api_pb2 as pb
from tests.adapters.api_server import ApiServer
from tests.adapters.served import CONFIG, SECRET, client_tasks, options


def calls() -> int:
    """Streams and calls that still exist."""
    gc.collect()
    kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
    return kinds["GrpcStream"] + kinds["StreamStreamCall"]


async def test_cancelled_streams_leave_nothing_behind(
    server: ApiServer, analyzer: GrpcAnalyzer
) -> None:
    """After 200 streams given up in the midst of reading and writing no task or call is left."""
    before = calls()
    for number in range(200):
        stream = await analyzer.open(CONFIG)
        api = await server.accept()
        reading = asyncio.create_task(stream.read())
        await stream.write(bytes(8000))
        if number % 2:
            reading.cancel()
        else:
            stream.cancel()
        with pytest.raises((StreamFailed, asyncio.CancelledError)):
            await reading
        del stream, reading
        await api.gone.wait()
    assert client_tasks() == set()
    assert calls() == before
    assert analyzer._pool.channels == 1
    assert [seat.streams for seat in analyzer._pool._seats] == [0]


async def test_a_write_waits_while_the_server_does_not_read(
    server: ApiServer, analyzer: GrpcAnalyzer
) -> None:
    """Flow control reaches the writer, and cancelling it then ends the whole stream."""
    stream = await analyzer.open(CONFIG)
    api = await server.accept()
    written = 0

    async def fill() -> None:
        nonlocal written
        while True:
            await stream.write(bytes(100_000))
            written += 1

    filling = asyncio.create_task(fill())
    stalled = -1
    while stalled != written:
        stalled = written
        await asyncio.wait([filling], timeout=0.3)
    filling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await filling
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await stream.read()
    await api.gone.wait()


async def test_waits_for_the_news_of_its_own_half_close() -> None:
    """An OK that overtakes the news that our half-close went out still counts as after it."""
    words = Words(options("x"), SECRET, CONFIG)
    call = SlowToClose()
    stream = GrpcStream(call, words, over=lambda: None)
    closing = asyncio.create_task(stream.half_close())
    await call.closing.wait()
    reading = asyncio.create_task(stream.read())
    done, _ = await asyncio.wait([reading], timeout=0.05)
    assert not done
    call.closed.set()
    assert await reading is None
    assert stream.half_closed
    await closing


class SlowToClose:
    """A call whose OK is there before its half-close is known to be written."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self.closed = asyncio.Event()

    def add_done_callback(self, callback: object) -> None:
        """Never over."""

    def done(self) -> bool:
        """Never over."""
        return False

    async def write(self, message: bytes) -> None:
        """Taken at once."""

    async def done_writing(self) -> None:
        """Takes its time."""
        self.closing.set()
        await self.closed.wait()

    async def read(self) -> object:
        """The end."""
        return grpc.aio.EOF


async def test_masks_the_token_where_the_server_repeats_it(
    server: ApiServer, analyzer: GrpcAnalyzer
) -> None:
    """A status text that quotes the token reaches nobody."""
    stream = await analyzer.open(CONFIG)
    (await server.accept()).end(grpc.StatusCode.UNAUTHENTICATED, f"bad token {SECRET}!")
    with pytest.raises(StreamFailed) as caught:
        await stream.read()
    assert caught.value.detail == "bad token ***!"
    assert SECRET not in repr(options("x"))


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff\xff",
        pb.StreamResult(result=[pb.InferenceResult(start_time="soon", end_time="later")]),
    ],
)
async def test_breaks_on_answers_that_make_no_sense(
    server: ApiServer, analyzer: GrpcAnalyzer, answer: bytes | pb.StreamResult
) -> None:
    """What can't be read as a result is an error of the stream, not silence."""
    stream = await analyzer.open(CONFIG)
    await (await server.accept()).send(answer)
    with pytest.raises(StreamFailed) as caught:
        await stream.read()
    assert (caught.value.code, caught.value.fault) == ("DATA_LOSS", Fault.TRANSIENT)
    stream.cancel()


async def test_refuses_answers_above_the_limit(server: ApiServer) -> None:
    """An answer larger than the options allow breaks the stream."""
    made = GrpcAnalyzer(options(server.target, max_receive_bytes=1 << 16))
    stream = await made.open(CONFIG)
    await (await server.accept()).send(
        pb.StreamResult(result=[pb.InferenceResult(id="x" * 70_000)])
    )
    with pytest.raises(StreamFailed, match="RESOURCE_EXHAUSTED"):
        await stream.read()
    await made.stop()
