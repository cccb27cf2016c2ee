"""The sandbox as a process behind a proxy, and what chaos does to it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from consumer.demo.child import Child
from consumer.demo.port import HOST, free_port, healthy
from tests.chaos.calls import POISON_RATE
from tests.chaos.names import CID, TOKEN
from tests.chaos.proxy import Proxy
from tests.e2e.process import environment, pid, python

_START_SECONDS = 60.0
_POISON = f"invalid-argument-after=0;rate={POISON_RATE}"
"""On the command line, since a restart forgets the rules that came while it ran."""


@dataclass(slots=True)
class Api:
    """folder: where its evidence goes. proxy: in front of it. port: of the proxy."""

    folder: Path
    port: int = field(default_factory=free_port)
    _grpc: int = field(default_factory=free_port)
    _rest: int = field(default_factory=free_port)
    _child: Child | None = None
    _proxy: Proxy | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Api"]:
        """Start both, and end both."""
        (self.folder / "token").write_text(TOKEN)
        async with Proxy(self.port, self._grpc) as self._proxy:
            await self.start()
            try:
                yield self
            finally:
                await self.stop()

    @property
    def proxy(self) -> Proxy:
        """Between consumers and sandbox."""
        assert self._proxy is not None
        return self._proxy

    @property
    def lines(self) -> Path:
        """The audit."""
        return self.folder / "audit.jsonl"

    @property
    def audio(self) -> Path:
        """What was heard."""
        return self.folder / "audio"

    async def start(self) -> None:
        """Start the sandbox, at the same ports every time."""
        arguments = (
            *("--listen", f"{HOST}:{self._grpc}", "--rest-listen", f"{HOST}:{self._rest}"),
            *("--cid", str(CID), "--token-file", str(self.folder / "token")),
            *("--audit", str(self.lines), "--audit-audio", str(self.audio)),
            *("--fault", _POISON),
        )
        log = self.folder / "sandbox.log"
        self._child = Child("sandbox", (*python(), "sandbox", *arguments), log, environment())
        await self._child.start()
        await self._child.until(healthy(self._rest, "/status"), _START_SECONDS)

    async def stop(self) -> None:
        """End it in good order, so that its audit is complete."""
        if self._child is not None and self._child.running:
            await self._child.stop()

    async def bounce(self, seconds: float) -> None:
        """Kill it and start it again after so many seconds."""
        assert self._child is not None
        os.kill(pid(self._child), signal.SIGKILL)
        await self._child.ended()
        await asyncio.sleep(seconds)
        await self.start()

    async def rule(self, text: str, seconds: float) -> None:
        """Have a rule in force for so many seconds."""
        async with aiohttp.ClientSession(f"http://{HOST}:{self._rest}") as rest:
            async with rest.post("/sandbox/faults", json={"fault": text}) as answer:
                number = (await answer.json())["number"]
            await asyncio.sleep(seconds)
            async with rest.delete(f"/sandbox/faults/{number}") as answer:
                assert answer.status == 204, await answer.text()
