"""One run from the first record to the verdict."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from consumer.demo.port import HOST
from tests.chaos.api import Api
from tests.chaos.audit import streams
from tests.chaos.brokers import Brokers
from tests.chaos.calls import Call, Cast
from tests.chaos.commits import Commits
from tests.chaos.faults import Faults
from tests.chaos.feeder import Feeder
from tests.chaos.names import PARTITIONS
from tests.chaos.options import GRACE_SECONDS, SESSION_SECONDS, Options
from tests.chaos.oracle.facts import Complaint, Facts, Promise
from tests.chaos.oracle.verdict import complaints
from tests.chaos.patience import end, within
from tests.chaos.plan import Fault, Kind
from tests.chaos.reader import Reader
from tests.chaos.replicas import Replicas

_LOOK_SECONDS = 1.0
_OVERTIME_SECONDS = 240.0
"""What the last call and the last fault may take beyond the time of the calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run has shown. behind: seconds that the feeder was late at most; settled: after so
    many seconds all was committed.
    """

    facts: Facts
    complaints: Sequence[Complaint]
    faults: dict[Kind, int]
    calls: Sequence[Call]
    stall: float
    behind: float
    settled: float


@dataclass(frozen=True, slots=True)
class Stage:
    """All parts of a run, running."""

    api: Api
    replicas: Replicas
    feeder: Feeder
    reader: Reader
    commits: Commits


async def play(options: Options, brokers: Brokers, say: Callable[[str], None]) -> Outcome:
    """Play it, on brokers that run."""
    cast = Cast(
        options.seed,
        options.seconds,
        options.sessions,
        PARTITIONS,
        poisoned=options.poisoned,
        lengths=options.lengths,
        pace=options.pace,
    )
    calls = cast.calls()
    async with _stage(options, brokers) as stage:
        faults = Faults(stage.api, brokers, stage.replicas, SESSION_SECONDS, say)
        performing = _perform(stage, faults, calls, options.faults)
        await within(options.seconds + _OVERTIME_SECONDS, performing, "all calls and all faults")
        settled = await _settle(stage, options.patience)
        deaths = await _bow_out(stage)
        facts = Facts(
            promise=Promise(exactly_once=options.exactly_once),
            topic=options.names.input,
            fed=await stage.feeder.fed(),
            streams=streams(stage.api.lines, stage.api.audio, calls),
            results=stage.reader.results,
            events=stage.reader.events,
            letters=stage.reader.letters,
            commits=stage.commits.seen,
            crashes=faults.crashes,
            lag=await stage.commits.lag(await stage.feeder.ends()),
            deaths=deaths,
        )
    return Outcome(
        facts=facts,
        complaints=complaints(facts),
        faults=faults.done,
        calls=calls,
        stall=stage.commits.longest_stall(),
        behind=stage.feeder.behind,
        settled=settled,
    )


@asynccontextmanager
async def _stage(options: Options, brokers: Brokers) -> AsyncIterator[Stage]:
    names = options.names
    await brokers.make(names.topics)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(options.folder).running())
        environment = options.environment(brokers.bootstrap, f"{HOST}:{api.port}")
        replicas = Replicas(options.folder, options.command, environment, GRACE_SECONDS)
        stack.push_async_callback(replicas.kill_all)
        await asyncio.gather(*(replicas.start(f"first-{n}") for n in range(options.replicas)))
        feeder = await stack.enter_async_context(Feeder(brokers.bootstrap, names.input))
        reader = await stack.enter_async_context(Reader(brokers.bootstrap, names))
        commits = Commits(brokers.bootstrap, names)
        for watch in (replicas.watch, commits.watch):
            await stack.enter_async_context(_beside(watch))
        yield Stage(api, replicas, feeder, reader, commits)


@asynccontextmanager
async def _beside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Work for as long as the block lasts; what it raises comes out in the end."""
    task = asyncio.create_task(work(), name=getattr(work, "__qualname__", "work"))
    try:
        yield
    finally:
        await end(task, f"the end of {task.get_name()}")
    if not task.cancelled():
        task.result()


async def _perform(
    stage: Stage, faults: Faults, calls: Sequence[Call], plan: Sequence[Fault]
) -> None:
    start = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.feeder.play(calls, start), name="feeder")
        tasks.create_task(faults.play(plan, start), name="faults")


async def _settle(stage: Stage, patience: float) -> float:
    """Wait until all is committed; returns the seconds that it took."""
    loop = asyncio.get_running_loop()
    begun, ends = loop.time(), await stage.feeder.ends()
    until = begun + patience
    while loop.time() < until and await stage.commits.lag(ends):  # noqa: ASYNC110 - no events
        await asyncio.sleep(_LOOK_SECONDS)
    return loop.time() - begun


async def _bow_out(stage: Stage) -> list[str]:
    """End all consumers, then read what they have left behind; returns the deaths."""
    await stage.replicas.end_all()
    await stage.reader.to_end()
    await stage.api.stop()
    return stage.replicas.deaths
