"""Consumers as processes: what they say of themselves, and what signals do to them."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from consumer.demo.child import Child
from consumer.demo.port import HOST

_GRACE_SECONDS = 20.0
"""The default of CONSUMER_SHUTDOWN__TIMEOUT_SECONDS."""
_GIVING_UP_SECONDS = 30.0
_PROCESS_END_SECONDS = 1.5
"""What an interpreter may take to end, after the service has, on a busy machine."""
_AT_WORK = {"live", "held back"}
_UNSIGHTLY = ("Traceback", "was never retrieved", "was destroyed but it is pending")


@dataclass(slots=True)
class Consumer:
    """A consumer process. admin: the port on which it tells of its health."""

    child: Child
    admin: int
    _told_to_stop: bool = False

    @property
    def pid(self) -> int:
        """Of the process."""
        return pid(self.child)

    @property
    def died(self) -> bool:
        """It has ended by itself."""
        return not self._told_to_stop and not self.child.running

    async def ready(self) -> tuple[bool, Sequence[str]]:
        """What readiness says, and why."""
        code, body = await get(self.admin, "/ready")
        assert (code == 200) == body["ok"]
        return body["ok"], body["reasons"]

    async def blames(self, word: str) -> bool:
        """Readiness says no, and gives a reason with this word."""
        ok, reasons = await self.ready()
        return not ok and any(word in reason for reason in reasons)

    async def live(self) -> bool:
        """What liveness says."""
        return (await get(self.admin, "/live"))[0] == 200

    async def started(self) -> bool:
        """What a startup probe is told."""
        return (await get(self.admin, "/startup"))[0] == 200

    async def metrics(self) -> Mapping[str, float]:
        """Counters and gauges by name."""
        metrics: Mapping[str, float] = (await get(self.admin, "/status"))[1]["metrics"]
        return metrics

    async def epochs(self) -> Mapping[int, int]:
        """The partitions that it works on, each with the epoch in which it took it."""
        partitions = (await get(self.admin, "/status"))[1]["partitions"]
        return {one["partition"]: one["epoch"] for one in partitions if one["state"] in _AT_WORK}

    @property
    def peak_mib(self) -> float:
        """The most memory that it ever had, of the kernel's own account."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        [peak] = [line for line in lines if line.startswith("VmHWM:")]
        return int(peak.split()[1]) / 1024

    async def gives_up(self) -> tuple[int, str]:
        """Exit code and words of one that ends by itself, as it is expected to."""
        self._told_to_stop = True
        async with asyncio.timeout(_GIVING_UP_SECONDS):
            code = await self.child.ended()
        return code, self.child.log.read_text()

    async def stop(
        self, number: signal.Signals = signal.SIGTERM, grace: float = _GRACE_SECONDS
    ) -> int:
        """Send it a signal; its exit code, if it ends within the grace period of a shutdown."""
        self._told_to_stop = True
        os.kill(self.pid, number)
        async with asyncio.timeout(grace):
            return await self.child.ended()

    async def bow_out(self, grace: float) -> None:
        """Ask it to end: it must do so in time, with 0, and without a traceback.

        grace: what it has as CONSUMER_SHUTDOWN__TIMEOUT_SECONDS.
        """
        try:
            code = await self.stop(grace=grace + _PROCESS_END_SECONDS)
        except TimeoutError:
            raise AssertionError(
                f"not gone after {grace:g} s:\n{self.child.last_words()}"
            ) from None
        words = self.child.log.read_text()
        assert code == 0, words
        assert not [word for word in _UNSIGHTLY if word in words], words


async def giving_up(folder: Path, settings: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and words of a consumer that does not start."""
    log = folder / "run.log"
    child = Child("run", (*python(), "run"), log, {**environment(), **settings})
    await child.start()
    try:
        async with asyncio.timeout(_GIVING_UP_SECONDS):
            code = await child.ended()
    finally:
        await child.stop()
    return code, log.read_text()


async def get(port: int, path: str) -> tuple[int, Any]:
    """Status and JSON body of an HTTP request."""
    async with aiohttp.request("GET", f"http://{HOST}:{port}{path}") as answer:
        return answer.status, await answer.json()


def python() -> tuple[str, ...]:
    """The command line as a module."""
    return (sys.executable, "-m", "consumer")


def environment() -> dict[str, str]:
    """Ours, without settings that a person has for another consumer."""
    return {name: text for name, text in os.environ.items() if not name.startswith("CONSUMER_")}


def pid(child: Child) -> int:
    """Of its process."""
    process = child._process
    assert process is not None
    return process.pid
