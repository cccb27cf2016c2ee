"""The consumers as processes: started, killed, frozen, asked to end, and watched meanwhile."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from consumer.demo.child import Child, ChildFailed
from consumer.demo.port import HOST, free_port, healthy
from tests.e2e.process import environment, pid

_START_SECONDS = 60.0
_WATCH_SECONDS = 2.0
_ANSWER_SECONDS = 15.0


class NobodyRuns(Exception):
    """All consumers have died; there is nothing left to break."""


@dataclass(slots=True)
class Replica:
    """One consumer. watched: it is expected to run and to answer."""

    child: Child
    admin: int
    watched: bool = False


@dataclass(slots=True)
class Replicas:
    """All consumers of a run. command: how to start one. settings: the environment's.

    deaths: what none of them may do: end by itself, end badly, or say that it is dead.
    """

    folder: Path
    command: tuple[str, ...]
    settings: Mapping[str, str]
    grace_seconds: float
    deaths: list[str] = field(default_factory=list)
    _all: dict[str, Replica] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of those that run."""
        return sorted(name for name, one in self._all.items() if one.watched)

    def choose(self, whom: int) -> str:
        """One of those that run, by this number. Raises NobodyRuns."""
        names = self.names
        if not names:
            raise NobodyRuns
        return names[whom % len(names)]

    async def start(self, name: str) -> None:
        """Start one, or start it again; it is alive then and joins the group soon, or has died."""
        admin = self._all[name].admin if name in self._all else free_port()
        settings = {**environment(), **self.settings, "CONSUMER_ADMIN__LISTEN": f"{HOST}:{admin}"}
        log = self.folder / f"{name}.log"
        child = Child(name, self.command, log, settings, grace_seconds=self.grace_seconds)
        replica = self._all[name] = Replica(child, admin)
        await child.start()
        try:
            await child.until(healthy(admin, "/live"), _START_SECONDS)
        except ChildFailed as failure:
            self.deaths.append(str(failure))
        else:
            replica.watched = True

    async def kill(self, name: str) -> None:
        """SIGKILL."""
        self._send(name, signal.SIGKILL)
        await self._all[name].child.ended()

    async def freeze(self, name: str, seconds: float) -> None:
        """It stands still for so long."""
        self._send(name, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._send(name, signal.SIGCONT)
        self._all[name].watched = True

    async def end(self, name: str) -> None:
        """SIGTERM; it must end well and within its grace period."""
        replica = self._all[name]
        replica.watched = False
        code = await replica.child.stop()
        if code != 0:
            self.deaths.append(f"{name} ended with exit code {code} when asked to end")

    async def end_all(self) -> None:
        """All that run, at the same time."""
        await asyncio.gather(*(self.end(name) for name in self.names))

    async def kill_all(self) -> None:
        """Whatever still runs."""
        for name, replica in self._all.items():
            if replica.child.running:
                await self.kill(name)

    async def watch(self) -> None:
        """Note deaths, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for name, replica in list(self._all.items()):
                if replica.watched and not replica.child.running:
                    replica.watched = False
                    self.deaths.append(f"{name} has died: {replica.child.last_words()}")
                elif replica.watched:
                    await self._ask(name, replica)

    async def _ask(self, name: str, replica: Replica) -> None:
        url = f"http://{HOST}:{replica.admin}/live"
        try:
            timeout = aiohttp.ClientTimeout(_ANSWER_SECONDS)
            async with aiohttp.request("GET", url, timeout=timeout) as answer:
                text = await answer.text() if answer.status != 200 else ""
        except (aiohttp.ClientError, TimeoutError) as error:
            text = repr(error)
        if text and replica.watched and replica.child.running:
            self.deaths.append(f"{name} is not alive: {text}")

    def _send(self, name: str, number: signal.Signals) -> None:
        """It may have died by itself a moment ago, which `watch` would not see any more."""
        replica = self._all[name]
        replica.watched = False
        if replica.child.running:
            os.kill(pid(replica.child), number)
        else:
            self.deaths.append(f"{name} has died: {replica.child.last_words()}")
