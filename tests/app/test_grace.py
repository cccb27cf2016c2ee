"""From the first signal on there is an end to everything."""

import asyncio
import os
import signal

import pytest

from consumer.app.grace import Grace
from tests.fakes.log import FakeLog

SECONDS = 0.2


async def ask(grace: Grace, number: signal.Signals = signal.SIGTERM) -> None:
    """Send ourselves a signal, and wait until it has come."""
    os.kill(os.getpid(), number)
    await grace.asked.wait()


async def for_ever() -> None:
    """What only a cancellation ends."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_work_that_never_ends(number: signal.Signals) -> None:
    """It is cancelled when its time is up, not before, and the log says so; that is no error."""
    log = FakeLog()
    grace = Grace(SECONDS, log)
    asked_at = 0.0

    async def work() -> None:
        nonlocal asked_at
        asked_at = asyncio.get_running_loop().time()
        await ask(grace, number)
        await for_ever()

    async with asyncio.timeout(10 * SECONDS):
        await grace.bound(work)
    assert asyncio.get_running_loop().time() - asked_at >= SECONDS
    assert log.events("warning") == ["stopping took too long, the rest is read again"]


async def test_work_that_ends_in_time() -> None:
    """Nothing is said of it, and later nothing happens to whoever has waited for it."""
    log = FakeLog()
    grace = Grace(SECONDS, log)
    await grace.bound(lambda: ask(grace))
    await asyncio.sleep(2 * SECONDS)
    assert log.events("warning") == []


async def test_other_timeouts_are_errors() -> None:
    """Whatever takes too long without a signal is not taken for the end."""

    async def late() -> None:
        raise TimeoutError("a broker's answer")

    with pytest.raises(TimeoutError, match="a broker's answer"):
        await Grace(SECONDS, FakeLog()).bound(late)


async def test_parts_that_do_not_close() -> None:
    """All of them together have the time that there is, and each gets its turn."""
    grace = Grace(SECONDS, FakeLog())
    tried: list[int] = []

    async def close(number: int) -> None:
        tried.append(number)
        await for_ever()

    async def work() -> None:
        await ask(grace)
        for number in range(3):
            await grace.close(lambda number=number: close(number))  # type: ignore[misc] # a lambda

    async with asyncio.timeout(10 * SECONDS):
        await grace.bound(work)
        await grace.close(lambda: close(3))
    assert tried[-1] == 3
