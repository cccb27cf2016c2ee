"""Child processes: started with a log of their own, watched, and never left behind."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consumer.errors import ConsumerError

_TAIL_BYTES = 4096


class ChildFailed(ConsumerError):
    """A part of the demo did not start, or ended too early."""


@dataclass(slots=True)
class Child:
    """One process. name: for people. log: takes its output and errors.

    environment: all that it sees, ours when None. grace_seconds: from asking it to end to killing.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    grace_seconds: float = 15.0
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches only us.

        Raises ChildFailed.
        """
        try:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise ChildFailed(f"can't start the {self.name}: {error}") from error

    @property
    def running(self) -> bool:
        """It was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> int:
        """Its exit code, once it has ended; negative for a signal."""
        return await self._started().wait()

    async def watch(self) -> None:
        """Wait for as long as it runs. Raises ChildFailed when it ends."""
        code = await self.ended()
        raise ChildFailed(f"the {self.name} ended with exit code {code}:\n{self.last_words()}")

    async def until(self, sign: Coroutine[None, None, None], seconds: float) -> None:
        """Wait for a sign that it works. Raises ChildFailed when it ends or takes too long."""
        tasks = [
            asyncio.create_task(sign, name=f"sign of {self.name}"),
            asyncio.create_task(self.watch(), name=f"watch {self.name}"),
        ]
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                late = f"the {self.name} is not ready after {seconds:g} s"
                raise ChildFailed(f"{late}:\n{self.last_words()}")
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def stop(self) -> int:
        """Ask it to end, insist after a while; returns its exit code."""
        process = self._started()
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(self.grace_seconds):
                    return await process.wait()
            except TimeoutError:
                _signal(process, signal.SIGKILL)
        return await process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        text = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-10:])

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ChildFailed(f"the {self.name} was not started")
        return self._process


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return
