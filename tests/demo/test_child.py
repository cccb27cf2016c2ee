"""Child processes: their signs of life, their last words, their end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from consumer.demo.child import Child, ChildFailed
from consumer.demo.port import free_port, healthy, listening

Make = Callable[..., Child]


@pytest_asyncio.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Children that run Python code, stopped after the test."""
    children: list[Child] = []

    def made(code: str, **options: float) -> Child:
        command = (sys.executable, "-c", code)
        child = Child("helper", command, tmp_path / "log", dict(os.environ) | {"WORD": "hi"})
        child.grace_seconds = options.get("grace_seconds", 15.0)
        children.append(child)
        return child

    yield made
    for child in children:
        with suppress(ChildFailed):
            await child.stop()


async def never() -> None:
    await asyncio.Event().wait()


async def test_early_end_is_told_with_last_words(make: Make) -> None:
    """A child that ends before its sign of life fails with its exit code and log."""
    child = make("import os, sys; print('oops', os.environ['WORD']); sys.exit(3)")
    await child.start()
    with pytest.raises(ChildFailed, match="the helper ended with exit code 3:\noops hi"):
        await child.until(never(), 20)
    assert not child.running


async def test_missing_sign_is_told(make: Make) -> None:
    """A child that takes too long fails, and is still there to be stopped."""
    child = make("import time; print('slow', flush=True); time.sleep(60)")
    await child.start()
    with pytest.raises(ChildFailed, match=r"the helper is not ready after 0\.01 s"):
        await child.until(never(), 0.01)
    assert child.running
    assert await child.stop() == -15


async def test_stubborn_child_is_killed(make: Make) -> None:
    """Who ignores SIGTERM is killed after the grace period."""
    port = free_port()
    child = make(
        "import signal, socket, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)",
        grace_seconds=0.05,
    )
    await child.start()
    await child.until(listening(port), 20)
    assert await child.stop() == -9


async def test_impossible_program_is_told(tmp_path: Path) -> None:
    """A program that isn't there is an error of ours."""
    child = Child("ghost", (str(tmp_path / "nothing"),), tmp_path / "log")
    with pytest.raises(ChildFailed, match="can't start the ghost"):
        await child.start()
    with pytest.raises(ChildFailed, match="was not started"):
        await child.stop()


async def test_health_is_waited_for(make: Make) -> None:
    """A sign may be an answer over HTTP; another answer is waited out."""
    port = free_port()
    child = make(
        "from http.server import *\n"
        "class H(BaseHTTPRequestHandler):\n"
        "    n = 0\n"
        "    def do_GET(self):\n"
        "        H.n += 1\n"
        "        self.send_response(200 if H.n > 2 else 503); self.end_headers()\n"
        f"HTTPServer(('127.0.0.1', {port}), H).serve_forever()"
    )
    await child.start()
    await child.until(healthy(port, "/ready"), 20)
    assert child.last_words().count("503") == 2
