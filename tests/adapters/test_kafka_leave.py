"""Leaving ends in time and quietly, whatever the library does."""

import asyncio

import pytest

from consumer.adapters.kafka.leave import leave


async def cancelled_inside() -> None:
    """Await a task of one's own that was cancelled, as the library does."""
    task = asyncio.create_task(asyncio.sleep(3600))
    task.cancel()
    await task


async def failing() -> None:
    """Fail."""
    raise OSError("gone")


@pytest.mark.parametrize("stop", [cancelled_inside, failing])
async def test_bad_ends_stay_inside(stop: object) -> None:
    """A cancellation or an error within the client's stop does not reach us."""
    assert callable(stop)
    await leave(stop, 5.0)
    assert asyncio.current_task() is not None


async def test_endless_stop_is_cut_off() -> None:
    """A client that never stops is cancelled when its time is up."""
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await leave(endless, 0.01)
    await cancelled.wait()


async def test_our_own_cancellation_gets_through() -> None:
    """Whoever cancels the leaving task does cancel it."""
    leaving = asyncio.create_task(leave(asyncio.Event().wait, 3600.0))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
