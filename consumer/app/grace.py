"""The time that stopping may take, from the first signal to the last connection.

The parts have budgets of their own, but with brokers that don't answer all of these would be used
up one after the other. So there is an end to all of them together, before the orchestrator makes
one. Nothing is lost with it, no more than with a crash.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from consumer.ports import Log


class Grace:
    """seconds: from the first SIGTERM or SIGINT on. asked: there was one."""

    def __init__(self, seconds: float, log: Log) -> None:
        self.asked = asyncio.Event()
        self._seconds = seconds
        self._log = log
        self._limit = asyncio.timeout(None)

    async def bound(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do all the work of a process; once it is asked to stop it has its time left."""
        try:
            with self._signals():
                async with self._limit:
                    await work()
        except TimeoutError:
            if not self._limit.expired():
                raise
            self._log.warning(
                "stopping took too long, the rest is read again", seconds=self._seconds
            )

    async def close(self, stop: Callable[[], Awaitable[None]]) -> None:
        """Stop one part in the time that is left; without a signal it takes its own."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._limit.when()):
                await stop()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        wanted = (signal.SIGTERM, signal.SIGINT)
        for number in wanted:
            loop.add_signal_handler(number, partial(self._stop, number))
        try:
            yield
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)

    def _stop(self, number: signal.Signals) -> None:
        """Stop; the same signal again ends the process at once."""
        self._log.info("stopping", signal=number.name)
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(number)
        if self._limit.when() is None:
            self._limit.reschedule(loop.time() + self._seconds)
        self.asked.set()
