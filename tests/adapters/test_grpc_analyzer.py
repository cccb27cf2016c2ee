"""How streams are opened over a real network: connections, credentials, probes."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

import grpc
import pytest

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.analyzer.status import FAULTS
from consumer.adapters.analyzer.stream import GrpcStream
from consumer.errors import ConfigurationError, Fault, StreamFailed
from tests.adapters.api_server import PATIENCE_SECONDS, ApiServer, api_server
from tests.adapters.served import CONFIG, client_tasks, options

CERTIFICATES = Path(__file__).parent / "certificates"


async def test_asks_for_what_the_options_say(server: ApiServer) -> None:
    """Method, logits and embeddings are chosen by options."""
    made = GrpcAnalyzer(options(server.target, method="StreamAudio", logits=True, embedding=True))
    stream = await made.open(CONFIG)
    api = await server.accept()
    config = await api.hear()
    assert config is not None
    assert api.method == "StreamAudio"
    assert config.config.logits
    assert config.config.feature_embedding
    stream.cancel()
    await made.stop()


async def test_takes_up_a_renewed_token(server: ApiServer) -> None:
    """Each stream asks for the token anew; one that can't be had is a fault of the settings."""
    tokens = iter(["old", "new"])

    def token() -> str:
        try:
            return next(tokens)
        except StopIteration:
            raise ConfigurationError("the file is gone", "CONSUMER_API__TOKEN_FILE") from None

    made = GrpcAnalyzer(options(server.target, token=token))
    for expected in ("old", "new"):
        stream = await made.open(CONFIG)
        said = await (await server.accept()).hear()
        assert said is not None
        assert said.x_auth_token == expected
        stream.cancel()
    with pytest.raises(StreamFailed, match="CONSUMER_API__TOKEN_FILE") as caught:
        await made.open(CONFIG)
    assert caught.value.fault is Fault.SETTINGS
    await made.stop()


async def test_spreads_streams_over_connections(server: ApiServer) -> None:
    """No connection carries more streams than allowed, and room that falls free is used again."""
    made = GrpcAnalyzer(options(server.target, streams_per_channel=2))
    streams = [await made.open(CONFIG) for _ in range(5)]
    served = [await server.accept() for _ in streams]
    assert sorted(Counter(stream.peer for stream in served).values()) == [1, 2, 2]
    streams.pop(0).cancel()
    assert sum(seat.streams for seat in made._pool._seats) == 4
    streams.append(await made.open(CONFIG))
    streams.append(await made.open(CONFIG))
    again = [await server.accept() for _ in range(2)]
    assert {stream.peer for stream in again} <= {stream.peer for stream in served}
    assert made._pool.channels == 3
    await made.stop()


async def test_drops_connections_without_streams(server: ApiServer) -> None:
    """A channel that nobody uses gives its connection up, and connects again when needed."""
    made = GrpcAnalyzer(options(server.target, idle_seconds=1.0))
    stream = await made.open(CONFIG)
    await server.accept()
    stream.cancel()
    channel = made._pool._seats[0].channel
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (state := channel.get_state()) is not grpc.ChannelConnectivity.IDLE:
            await channel.wait_for_state_change(state)
    stream = await made.open(CONFIG)
    await server.accept()
    stream.cancel()
    await made.stop()


async def test_says_when_nobody_listens() -> None:
    """A refused connection breaks the stream at once."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        made = GrpcAnalyzer(options(f"127.0.0.1:{closed.getsockname()[1]}"))
        with pytest.raises(StreamFailed, match="UNAVAILABLE") as caught:
            await made.open(CONFIG)
        assert caught.value.fault is Fault.TRANSIENT
        await made.stop()


async def test_opens_without_waiting_for_a_connection() -> None:
    """Where nobody answers, a stream is handed out anyway and can be given up at any time."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        made = GrpcAnalyzer(options(target, patience_seconds=0.05))
        for give_up in ("writer", "stream"):
            stream = await made.open(CONFIG)
            writing = asyncio.create_task(stream.write(b"ab"))
            reading = asyncio.create_task(stream.read())
            await asyncio.sleep(0)
            assert not writing.done()
            (writing if give_up == "writer" else stream).cancel()
            with pytest.raises(StreamFailed, match="CANCELLED"):
                await reading
            with pytest.raises((StreamFailed, asyncio.CancelledError)):
                await writing
        await made.stop()
        await asyncio.sleep(0)
        assert client_tasks() == set()


async def test_cancelling_an_open_leaves_nothing(server: ApiServer) -> None:
    """An opening that is cancelled takes its stream with it."""
    made = GrpcAnalyzer(options(server.target))
    opening = asyncio.create_task(made.open(CONFIG))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert [seat.streams for seat in made._pool._seats] == [0]
    await made.stop()


async def test_connects_again_after_an_outage(server: ApiServer) -> None:
    """A server that comes back is found within the longest pause between attempts."""
    async with api_server() as first:
        made = GrpcAnalyzer(options(first.target, reconnect_seconds=0.5))
        stream = await made.open(CONFIG)
        await first.accept()
        await first.server.stop(None)
        with pytest.raises(StreamFailed, match=r"UNAVAILABLE|CANCELLED"):
            await stream.read()
        port = first.port
    async with api_server(port=port) as second, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                stream = await made.open(CONFIG)
                break
            except StreamFailed:
                await asyncio.sleep(0.05)
        await second.accept()
        stream.cancel()
    await made.stop()


async def test_gives_a_probe_an_end(server: ApiServer) -> None:
    """A probe that the server leaves open fails in time."""
    made = GrpcAnalyzer(options(server.target, probe_timeout_seconds=0.2))
    with pytest.raises(StreamFailed, match="DEADLINE_EXCEEDED"):
        await made.probe()
    await (await server.accept()).gone.wait()
    await made.stop()


async def test_stop_breaks_what_is_open(server: ApiServer, analyzer: GrpcAnalyzer) -> None:
    """Closing the channels wakes readers with an error of ours."""
    stream = await analyzer.open(CONFIG)
    reading = asyncio.create_task(stream.read())
    await server.accept()
    await analyzer.stop()
    with pytest.raises(StreamFailed, match="CANCELLED"):
        await reading
    assert isinstance(stream, GrpcStream)


async def test_trusts_the_authority_it_is_given() -> None:
    """With TLS a server is known by our authority, and refused with any other."""
    pair = [(CERTIFICATES / f"localhost.{end}").read_bytes() for end in ("key", "pem")]
    credentials = grpc.ssl_server_credentials([(pair[0], pair[1])])
    async with api_server(credentials) as server:
        ours = options(server.target, tls=True, ca_file=CERTIFICATES / "ca.pem")
        trusting = GrpcAnalyzer(ours)
        stream = await trusting.open(CONFIG)
        await (await server.accept()).hear()
        stream.cancel()
        wary = GrpcAnalyzer(options(server.target, tls=True))
        with pytest.raises(StreamFailed, match="UNAVAILABLE"):
            await wary.open(CONFIG)
        await trusting.stop()
        await wary.stop()


async def test_names_an_authority_it_cannot_read(tmp_path: Path) -> None:
    """A missing file of authorities is a fault of the settings, named by its path."""
    made = GrpcAnalyzer(options("localhost:1", tls=True, ca_file=tmp_path / "none.pem"))
    with pytest.raises(StreamFailed, match=r"none\.pem") as caught:
        await made.open(CONFIG)
    assert caught.value.fault is Fault.SETTINGS


def test_knows_every_status() -> None:
    """No status code is without someone to act on it, and no pool without room."""
    assert set(FAULTS) == set(grpc.StatusCode)
    with pytest.raises(ValueError, match="streams_per_channel"):
        options("x", streams_per_channel=0)
