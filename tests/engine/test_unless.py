"""Work that a stop interrupts, and work that it doesn't."""

import asyncio

import pytest

from consumer.engine.unless import unless
from consumer.errors import KafkaFailed


async def test_done_without_a_stop() -> None:
    """It takes its time."""
    assert await unless(asyncio.Event(), asyncio.sleep(0.01))


async def test_given_up() -> None:
    """It is cancelled, and has ended when that is told."""
    stop = asyncio.Event()
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended = True

    working = asyncio.create_task(unless(stop, work()))
    await asyncio.sleep(0.01)
    stop.set()
    assert not await working
    assert ended


async def test_what_it_makes_of_that() -> None:
    """A failure that only comes of being given up is nobody's business."""
    stop = asyncio.Event()
    stop.set()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KafkaFailed("cut off") from None

    assert not await unless(stop, work())


async def test_its_own_failure() -> None:
    """Gets through."""

    async def work() -> None:
        raise KafkaFailed("refused")

    with pytest.raises(KafkaFailed, match="refused"):
        await unless(asyncio.Event(), work())


async def test_cancelled_from_outside() -> None:
    """The work ends with whoever waits for it."""
    working = asyncio.Event()
    ended = asyncio.Event()

    async def work() -> None:
        working.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(unless(asyncio.Event(), work()))
    await working.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
