"""Free ports of this machine, and waiting until something answers on one."""

import asyncio
import socket
from contextlib import suppress
from http import HTTPStatus

import aiohttp

HOST = "127.0.0.1"
_PAUSE_SECONDS = 0.05


def free_port() -> int:
    """A port that nobody listens on now. Another process may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def listening(port: int) -> None:
    """Wait, without an end of its own, until the port can be connected to."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return
        await asyncio.sleep(_PAUSE_SECONDS)


async def healthy(port: int, path: str) -> None:
    """Wait, without an end of its own, until HTTP answers 200."""
    async with aiohttp.ClientSession(f"http://{HOST}:{port}") as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(path) as answer:
                    if answer.status == HTTPStatus.OK:
                        return
            await asyncio.sleep(_PAUSE_SECONDS)
