"""Waits that end, with words that tell for what.

A timeout that cancels is not enough for them: client libraries make other errors of being
cancelled, or nothing at all, and whoever is cancelled only once would then wait for ever.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_AGAIN_SECONDS = 1.0

T = TypeVar("T")


class TooLong(Exception):
    """Something did not happen in its time."""


async def within(seconds: float, work: Coroutine[Any, Any, T], what: str) -> T:
    """What the work gives. Raises TooLong, whatever the work makes of being cancelled then."""
    task = asyncio.create_task(work, name=what)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
    finally:
        task.cancel()
    raise _too_long(task, seconds, what)


async def end(task: "asyncio.Task[None]", what: str, seconds: float = 10.0) -> None:
    """Cancel it until it has ended. Raises TooLong."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not task.done():
        if loop.time() >= deadline:
            raise _too_long(task, seconds, what)
        task.cancel()
        await asyncio.wait({task}, timeout=min(_AGAIN_SECONDS, seconds))


def _too_long(task: "asyncio.Task[Any]", seconds: float, what: str) -> TooLong:
    stack = [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
    return TooLong(f"not within {seconds:g} s: {what}; it is at {', '.join(stack)}")
