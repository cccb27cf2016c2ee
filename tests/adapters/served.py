"""What the tests of streams over a real network share."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.analyzer.options import AnalyzerOptions
from consumer.model import Hertz, LevelChoice, StreamConfig
from tests.adapters.api_server import ApiServer, api_server

CONFIG = StreamConfig(Hertz(16_000), LevelChoice.SEGMENT)
SECRET = "s3cret-t0ken"


def options(target: str, **changes: Any) -> AnalyzerOptions:
    """Options for a local server."""
    return AnalyzerOptions(
        **{"target": target, "cid": 7, "token": lambda: SECRET, "tls": False, **changes}
    )


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ApiServer]:
    """A server that a test answers by hand."""
    async with api_server() as running:
        yield running


@pytest_asyncio.fixture
async def analyzer(server: ApiServer) -> AsyncIterator[GrpcAnalyzer]:
    """An analyzer for it."""
    made = GrpcAnalyzer(options(server.target))
    yield made
    await made.stop()


def client_tasks() -> set["asyncio.Task[Any]"]:
    """Tasks of streams on this side; the server's run in the same loop."""
    return {
        task
        for task in asyncio.all_tasks()
        if task.get_name() == "stream config" or "grpc/aio/_call.py" in repr(task)
    }
