"""Waits end, also those for somebody who does not mind being cancelled."""

import asyncio
from contextlib import suppress

import pytest

from tests.chaos.patience import TooLong, end, within


async def _deaf(times: int) -> None:
    """Swallow so many cancellations, and end at the next."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


async def _answer() -> int:
    return 4


async def test_what_is_done_in_time() -> None:
    """Gives what it has."""
    assert await within(5, _answer(), "an answer") == 4


async def test_what_fails_in_time() -> None:
    """Raises what it does."""
    with pytest.raises(OSError, match="gone"):
        await within(5, _fail(), "a failure")


async def _fail() -> None:
    raise OSError("gone")


async def test_what_is_not_done_in_time() -> None:
    """Is told with its name and place, though it goes on for a while."""
    with pytest.raises(TooLong, match=r"not within 0.01 s: the deaf; it is at .*test_patience"):
        await within(0.01, _deaf(1), "the deaf")
    [left] = [task for task in asyncio.all_tasks() if task.get_name() == "the deaf"]
    await end(left, "the deaf")


async def test_an_end_is_asked_for_again() -> None:
    """Whoever swallows one cancellation gets another."""
    task = asyncio.create_task(_deaf(1))
    await asyncio.sleep(0)
    await end(task, "the deaf")
    assert task.cancelled()


async def test_an_end_that_does_not_come() -> None:
    """Is told."""
    task = asyncio.create_task(_deaf(3))
    await asyncio.sleep(0)
    with pytest.raises(TooLong, match=r"not within 0.02 s: the deaf"):
        await end(task, "the deaf", 0.02)
    await end(task, "the deaf")
