"""Does to the parts of a run what the plan says, when it says it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.api import Api
from tests.chaos.brokers import Brokers
from tests.chaos.oracle.facts import Crash
from tests.chaos.plan import Fault, Kind
from tests.chaos.replicas import NobodyRuns, Replicas

_FEWEST = 2
"""Consumers that a removal leaves."""
_ASLEEP_SECONDS = 4.0
"""That a zombie sleeps longer than its session lasts."""
_DELAY_SECONDS = 0.4


@dataclass(slots=True)
class Faults:
    """session_seconds: after which the group gives up a silent member. say: tells a person.

    done: how often each kind was. over: when the last one was, by the loop's clock. Faults of one
    part come one after the other; those of different parts may fall together.
    """

    api: Api
    brokers: Brokers
    replicas: Replicas
    session_seconds: float
    say: Callable[[str], None]
    done: dict[Kind, int] = field(default_factory=dict)
    crashes: list[Crash] = field(default_factory=list)
    _added: int = 0
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def play(self, faults: Sequence[Fault], start: float) -> None:
        """All of them; start: the run's, by the loop's clock."""
        async with asyncio.TaskGroup() as tasks:
            for fault in faults:
                tasks.create_task(self._one(fault, start), name=f"fault-{fault.kind}")

    async def _one(self, fault: Fault, start: float) -> None:
        loop = asyncio.get_running_loop()
        part, act = self._acts[fault.kind]
        await asyncio.sleep(start + fault.at - loop.time())
        async with self._locks.setdefault(part, asyncio.Lock()):
            begun = loop.time() - start
            try:
                what = await act(fault)
            except NobodyRuns:
                self.say(f"{begun:6.1f} s  {fault.kind}: all consumers have died")
                return
        self.done[fault.kind] = self.done.get(fault.kind, 0) + 1
        self.say(f"{begun:6.1f} to {loop.time() - start:5.1f} s  {fault.kind}: {what}")

    @property
    def _acts(self) -> Mapping[Kind, tuple[str, Callable[[Fault], Awaitable[str]]]]:
        """Which part it is about, and what to do."""
        return {
            "kill": ("consumers", self._kill),
            "deploy": ("consumers", self._deploy),
            "zombie": ("consumers", self._zombie),
            "add": ("consumers", self._add),
            "remove": ("consumers", self._remove),
            "broker": ("brokers", self._broker),
            "leaders": ("brokers", self._leaders),
            "cut": ("connections", self._cut),
            "delay": ("connections", self._delay),
            "deaf": ("api", self._deaf),
            "early-ok": ("api", self._early_ok),
            "failing": ("api", self._failing),
            "api": ("api", self._api),
            "refuse": ("api", self._refuse),
        }

    async def _kill(self, fault: Fault) -> str:
        name, begun = self.replicas.choose(fault.whom), _now_ms()
        await self.replicas.kill(name)
        await asyncio.sleep(fault.seconds)
        await self.replicas.start(name)
        self.crashes.append(Crash(begun, _now_ms()))
        return name

    async def _deploy(self, fault: Fault) -> str:
        names = self.replicas.names
        for name in names:
            await self.replicas.end(name)
            await self.replicas.start(name)
        return ", ".join(names)

    async def _zombie(self, fault: Fault) -> str:
        name, begun = self.replicas.choose(fault.whom), _now_ms()
        await self.replicas.freeze(name, self.session_seconds + _ASLEEP_SECONDS)
        self.crashes.append(Crash(begun, _now_ms()))
        return name

    async def _add(self, fault: Fault) -> str:
        self._added += 1
        name = f"added-{self._added}"
        await self.replicas.start(name)
        return name

    async def _remove(self, fault: Fault) -> str:
        if len(self.replicas.names) <= _FEWEST:
            return "nobody, there are too few"
        name = self.replicas.choose(fault.whom)
        await self.replicas.end(name)
        return name

    async def _broker(self, fault: Fault) -> str:
        begun = _now_ms()
        what = await self.brokers.bounce(fault.whom, fault.seconds)
        self.crashes.append(Crash(begun, _now_ms()))
        return what

    async def _leaders(self, fault: Fault) -> str:
        return await self.brokers.move(fault.whom, fault.seconds)

    async def _cut(self, fault: Fault) -> str:
        one = fault.whom if fault.whom % 2 else None
        return f"{self.api.proxy.cut(one)} connections"

    async def _delay(self, fault: Fault) -> str:
        self.api.proxy.delay = _DELAY_SECONDS
        await asyncio.sleep(fault.seconds)
        self.api.proxy.delay = 0.0
        return f"{_DELAY_SECONDS} s"

    async def _deaf(self, fault: Fault) -> str:
        return await self._rule(f"stop-reading-after=0;probability=0.3{_own(fault)}", fault.seconds)

    async def _early_ok(self, fault: Fault) -> str:
        return await self._rule(f"ok-after=0.3;probability=0.2{_own(fault)}", 1.5)

    async def _failing(self, fault: Fault) -> str:
        return await self._rule(f"unavailable-after=0;probability=0.3{_own(fault)}", 2.0)

    async def _refuse(self, fault: Fault) -> str:
        return await self._rule("unauthenticated-after=0", fault.seconds)

    async def _api(self, fault: Fault) -> str:
        await self.api.bounce(fault.seconds)
        return "killed and started again"

    async def _rule(self, text: str, seconds: float) -> str:
        await self.api.rule(text, seconds)
        return text


def _own(fault: Fault) -> str:
    """Empty words that make the rule's text this fault's own, as chance is drawn by the text."""
    return ";" * (fault.whom % 10)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
