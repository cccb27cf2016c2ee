"""The proxy passes bytes on, late if it shall, and breaks connections."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from consumer.demo.port import HOST, free_port
from tests.chaos.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Echo(asyncio.Protocol):
    """Sends everything back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that sends everything back."""
    target, port = free_port(), free_port()
    server = await asyncio.get_running_loop().create_server(_Echo, HOST, target)
    async with server, Proxy(port, target) as proxy:
        yield proxy


async def _ask(ends: Ends, word: bytes) -> bytes:
    ends[1].write(word)
    return await ends[0].readexactly(len(word))


async def test_bytes_pass(proxy: Proxy) -> None:
    """There and back."""
    ends = await asyncio.open_connection(HOST, proxy.port)
    assert await _ask(ends, b"x" * 300_000) == b"x" * 300_000
    assert proxy.connections == 1
    ends[1].close()


async def test_bytes_come_late(proxy: Proxy) -> None:
    """By the delay each way, and in order."""
    ends = await asyncio.open_connection(HOST, proxy.port)
    assert await _ask(ends, b"at once") == b"at once"
    loop = asyncio.get_running_loop()
    proxy.delay, begun = 0.1, loop.time()
    assert await _ask(ends, b"later") == b"later"
    assert loop.time() - begun >= 0.2
    ends[1].close()


async def test_connections_break(proxy: Proxy) -> None:
    """One or all, and new ones work."""
    several = [await asyncio.open_connection(HOST, proxy.port) for _ in range(3)]
    for ends in several:
        await _ask(ends, b"hello")
    assert proxy.cut(whom=7) == 1
    assert proxy.cut() >= 2
    for reader, writer in several:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
    again = await asyncio.open_connection(HOST, proxy.port)
    assert await _ask(again, b"again") == b"again"
    again[1].close()
