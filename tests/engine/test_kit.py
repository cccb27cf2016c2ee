"""Every task of the engine has one owner."""

import asyncio

import pytest

from consumer.engine.kit import Kit
from consumer.errors import LocalProtocolError
from tests.engine.stand import Stand, settle_down, virtual_time

pytestmark = virtual_time


async def wait() -> None:
    """Work that does not end by itself."""
    await asyncio.Event().wait()


async def fail() -> None:
    """Work that fails."""
    raise LocalProtocolError("a bug")


async def test_a_task_that_fails_ends_all_others() -> None:
    """The error is the engine's, and nobody works on without the one that failed."""
    stand = Stand()
    tasks: list[asyncio.Task[None]] = []

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            kit = stand.kit(group)
            tasks.append(kit.spawn(wait(), "waits"))
            kit.spawn(fail(), "fails")

    with pytest.raises(ExceptionGroup) as caught:
        await run()
    assert caught.group_contains(LocalProtocolError)
    assert tasks[0].cancelled()
    assert tasks[0].get_name() == "waits"


async def test_what_begins_while_the_engine_ends_never_runs() -> None:
    """It is no further error, and no task is left over."""
    stand = Stand()
    late: list[asyncio.Task[None]] = []
    ran: list[str] = []

    async def work() -> None:
        ran.append("late")

    async def linger(kit: Kit) -> None:
        try:
            await wait()
        finally:
            late.append(kit.spawn(work(), "too late"))

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            kit = stand.kit(group)
            kit.spawn(linger(kit), "lingers")
            await settle_down()
            kit.spawn(fail(), "fails")

    with pytest.raises(ExceptionGroup) as caught:
        await run()
    assert len(caught.value.exceptions) == 1
    await settle_down()
    assert late[0].cancelled()
    assert ran == []
