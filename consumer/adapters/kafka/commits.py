"""Commits that end with the assignment they belong to.

The library repeats a commit until it works, each time in the name of the generation that the group
is in by then. So one that waits for a coordinator through a rebalance would at last overwrite what
the partition's new owner has committed.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from consumer.errors import OwnershipLost


class Commits:
    """Those that are under way."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, commit: Coroutine[Any, Any, None]) -> None:
        """Await this one. Raises what it does, and OwnershipLost when it was cut off."""
        task = asyncio.create_task(commit, name="commit")
        self._running.add(task)
        try:
            await asyncio.wait([task])
            if task.cancelled():
                raise OwnershipLost("the group has rebalanced during the commit")
            task.result()
        finally:
            self._running.discard(task)
            task.cancel()

    def cut_off(self) -> None:
        """The assignment is over."""
        for task in self._running:
            task.cancel()
