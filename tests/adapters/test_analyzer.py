"""What a detection stream promises; the same in memory and over gRPC."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction

import pytest
import pytest_asyncio

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.analyzer.options import AnalyzerOptions
from consumer.errors import Fault, LocalProtocolError, StreamFailed
from consumer.model import (
    Hertz,
    Level,
    LevelChoice,
    Prediction,
    StreamConfig,
    StreamMessage,
    StreamResult,
)
from tests.adapters.api_server import api_server
from tests.adapters.peers import FakePeer, Peer, ServedPeer

CONFIG = StreamConfig(Hertz(8000), LevelChoice.ALL)


@pytest_asyncio.fixture(params=["memory", "grpc"])
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    """Both APIs, one after the other."""
    if request.param == "memory":
        yield FakePeer()
        return
    async with api_server() as server:
        options = AnalyzerOptions(target=server.target, cid=7, token=lambda: "token", tls=False)
        analyzer = GrpcAnalyzer(options)
        yield ServedPeer(server, analyzer, cid=7, token="token")
        await analyzer.stop()


def message(number: int, start: int = 0, end: int = 2) -> StreamMessage:
    """A response with one result."""
    result = StreamResult(
        id=str(number),
        start=Fraction(start),
        end=Fraction(end),
        task="deepfake",
        level=Level.SEGMENT,
        final_label="spoofed",
        predictions=(Prediction("spoofed", 0.75), Prediction("bonafide", 0.25)),
    )
    return StreamMessage(cid=7, pid=44, message_id=number, results=(result,))


@pytest.mark.parametrize("level", list(LevelChoice))
async def test_sends_the_config_first(peer: Peer, level: LevelChoice) -> None:
    """The config arrives by itself as soon as a stream is opened, then audio as it is written."""
    config = StreamConfig(Hertz(44_100), level)
    stream = await peer.analyzer.open(config)
    api = await peer.accept()
    assert await api.config() == config
    for audio in (b"\x01\x02", bytes(32_000)):
        await stream.write(audio)
        assert await api.hear() == audio
    stream.cancel()


async def test_reads_what_the_api_sends(peer: Peer) -> None:
    """Results come whole and in order, while audio is still being written."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    for number in range(3):
        await stream.write(b"ab")
        await api.hear()
        await api.send(message(number, 2 * number, 2 * number + 2))
        assert await stream.read() == message(number, 2 * number, 2 * number + 2)
    stream.cancel()


async def test_ends_with_ok_after_the_half_close(peer: Peer) -> None:
    """After our half-close the last results come, then None, and None again."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    await stream.write(b"ab")
    assert not stream.half_closed
    await stream.half_close()
    assert stream.half_closed
    assert await api.hear() == b"ab"
    assert await api.hear() is None
    await api.send(message(0))
    api.end()
    assert await stream.read() == message(0)
    assert await stream.read() is None
    assert await stream.read() is None


async def test_shows_an_ok_that_came_too_early(peer: Peer) -> None:
    """A server that ends before our half-close is seen as such, by reader and writer."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    api.end()
    assert await stream.read() is None
    assert not stream.half_closed
    for late in (stream.write(b"ab"), stream.half_close()):
        with pytest.raises(StreamFailed) as caught:
            await late
        assert (caught.value.code, caught.value.fault) == ("OK", Fault.TRANSIENT)
    assert not stream.half_closed


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("UNAVAILABLE", Fault.TRANSIENT),
        ("UNAUTHENTICATED", Fault.SETTINGS),
        ("INVALID_ARGUMENT", Fault.AUDIO),
    ],
)
async def test_tells_whose_fault_an_end_is(peer: Peer, code: str, fault: Fault) -> None:
    """Reader and writer both learn the status, and results sent before it are not lost."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    await api.send(message(0))
    await api.send(message(1))
    api.fail(code, "because")
    assert await stream.read() == message(0)
    assert await stream.read() == message(1)
    for late in (stream.read(), stream.write(b"ab"), stream.half_close(), stream.read()):
        with pytest.raises(StreamFailed) as caught:
            await late
        assert (caught.value.code, caught.value.fault) == (code, fault)
        assert caught.value.detail == "because"
    assert not stream.half_closed
    stream.cancel()


async def test_cancel_ends_all_waiting(peer: Peer) -> None:
    """Giving a stream up wakes its reader with an error of ours, and the server notices."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    stream.cancel()
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await reading
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await stream.write(b"ab")
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await stream.read()
    stream.cancel()
    await api.gone()


async def test_cancelling_a_reader_cancels_the_stream(peer: Peer) -> None:
    """A reader that is cancelled stays cancelled, and takes the stream with it."""
    stream = await peer.analyzer.open(CONFIG)
    api = await peer.accept()
    await api.config()
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await stream.write(b"ab")
    await api.gone()


async def test_probes_to_the_end(peer: Peer) -> None:
    """A probe sends a config, no audio, and is content with OK only."""
    for code in (None, "UNAUTHENTICATED"):
        if code and isinstance(peer, FakePeer):
            peer.analyzer.script.fail("probe", StreamFailed(Fault.SETTINGS, code, "no"))
        probing = asyncio.create_task(peer.analyzer.probe())
        if not isinstance(peer, FakePeer):
            api = await peer.accept()
            assert (await api.config()).level is LevelChoice.ALL
            assert await api.hear() is None
            api.fail(code, "no") if code else api.end()
        if code is None:
            await probing
        else:
            with pytest.raises(StreamFailed, match="UNAUTHENTICATED"):
                await probing


async def test_opens_nothing_after_stop(peer: Peer) -> None:
    """Stopping breaks what is open and refuses what comes later; stopping twice does no harm."""
    stream = await peer.analyzer.open(CONFIG)
    await peer.accept()
    await peer.analyzer.stop()
    await peer.analyzer.stop()
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await stream.read()
    with pytest.raises(LocalProtocolError):
        await peer.analyzer.open(CONFIG)


async def test_many_streams_at_once(peer: Peer) -> None:
    """Streams don't mix: each hears its own audio and gets its own results."""
    streams = [await peer.analyzer.open(CONFIG) for _ in range(20)]
    apis = [await peer.accept() for _ in streams]
    for api in apis:
        await api.config()
    for number, stream in enumerate(streams):
        await stream.write(b"%d" % number)
        await stream.half_close()
    for api in apis:
        said = await api.hear()
        assert said is not None
        await api.send(message(int(said)))
        api.end()
    for number, stream in enumerate(streams):
        assert await stream.read() == message(number)
        assert await stream.read() is None
