"""A world of fakes for the engine: brokers, API, clock, and callers who speak into the topic.

Time is virtual (looptime), so an hour passes at once. Audio has few frames a second and every
sample of a call is another number, so a stretch of it says where in the call it lies.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import lru_cache
from itertools import count
from typing import Any, Final

import pytest

from consumer.codec.headers import ChunkDefaults
from consumer.codec.results import PublicationEncoder
from consumer.core.breaker import Breaker
from consumer.core.flow import Mark
from consumer.engine.kit import Kit, Policies
from consumer.engine.pipeline import Pipeline
from consumer.model import AudioFormat, Hertz, Offset, Outgoing, Partition, Record
from tests.engine.props import Api, Numbers, React, voice, voice_of
from tests.fakes.checkpoints import FakeCheckpoints
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.judge import Judge
from tests.fakes.log import FakeLog
from tests.fakes.metrics import FakeMetrics
from tests.fakes.replay import FakeReplay
from tests.fakes.script import Script
from tests.fakes.sink import FakeSink
from tests.fakes.source import FakeSource
from tests.fakes.transactor import FakeTransactor

virtual_time: Final = pytest.mark.looptime(noop_cycles=0)
"""Nothing happens outside of the loop here, so it may jump to the next timer at once."""

RATE: Final = Hertz(100)
CALLS: Final = "calls"
RESULTS: Final = "results"
SESSIONS: Final = "sessions"
LETTERS: Final = "letters"
CHECKPOINTS: Final = "checkpoints"

_NUMBERS = count()

Json = dict[str, Any]


class Stand:
    """One replica's world. A second one on the same cluster is another replica of its group."""

    def __init__(
        self,
        react: React | None = None,
        *,
        partitions: int = 1,
        numbers: Numbers | None = None,
        cluster: FakeCluster | None = None,
        exactly_once: bool = False,
    ) -> None:
        self.exactly_once = exactly_once
        self.transactors: list[FakeTransactor] = []
        self.transactions = Script()
        self.owner = f"replica-{next(_NUMBERS)}"
        self.cluster = cluster or FakeCluster()
        if cluster is None:
            for topic in (CALLS, RESULTS, SESSIONS, LETTERS, CHECKPOINTS):
                self.cluster.create(topic, partitions)
        self.numbers = numbers or Numbers()
        self.source = FakeSource(self.cluster, CALLS)
        self.sink = FakeSink(self.cluster)
        self.replay = FakeReplay(self.cluster)
        self.checkpoints = FakeCheckpoints(self.cluster, CHECKPOINTS)
        self.api = Api(Judge() if react is None else react)
        self.clock = FakeClock()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.defaults = ChunkDefaults(AudioFormat(sample_rate=RATE), self.numbers.level)
        self.breaker = Breaker(self.numbers.breaker)
        self.spoken: defaultdict[str, int] = defaultdict(int)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self.pipeline: Pipeline | None = None

    def kit(self, tasks: asyncio.TaskGroup) -> Kit:
        """The engine's view of this world."""
        numbers, flow = self.numbers, self.numbers.flow
        return Kit(
            source=self.source,
            sink=self.sink,
            replay=self.replay,
            analyzer=self.api,
            clock=self.clock,
            metrics=self.metrics,
            log=self.log,
            policies=Policies(
                session=numbers.session, idle=numbers.idle, flow=flow, commit=numbers.commit
            ),
            defaults=self.defaults,
            encoder=PublicationEncoder(RESULTS, SESSIONS),
            dead_letter_topic=LETTERS,
            checkpoint_topic=CHECKPOINTS,
            checkpoints=self.checkpoints,
            transactor=self._transactor if self.exactly_once else None,
            owner=self.owner,
            breaker=self.breaker,
            backlog=Mark(flow.process_high, flow.process_low),
            held=Mark(flow.process_high, flow.process_low),
            tasks=tasks,
        )

    def _transactor(self, partition: Partition) -> FakeTransactor:
        made = FakeTransactor(self.cluster, self.source.group, partition, script=self.transactions)
        self.transactors.append(made)
        return made

    # What callers do.

    def speak(
        self,
        key: str = "call",
        seconds: float = 1.0,
        *,
        chunk: float = 0.25,
        partition: int = 0,
        headers: Iterable[tuple[str, bytes]] = (),
        timestamp: int | None = None,
    ) -> list[Record]:
        """Write this much of a caller's audio to the topic."""
        place, records, who = Partition(CALLS, partition), [], voice_of(key, self.calls[key])
        until = self.spoken[key] + round(seconds * RATE)
        while self.spoken[key] < until:
            start = self.spoken[key]
            frames = min(round(chunk * RATE), until - start)
            self.spoken[key] += frames
            stamp = self.clock.wall_ms() if timestamp is None else timestamp
            audio = voice(who, start, frames)
            records.append(self.cluster.append(place, audio, key.encode(), headers, stamp))
        return records

    def hang_up(
        self, key: str = "call", *, partition: int = 0, timestamp: int | None = None
    ) -> Record:
        """Write an end mark; what the caller says next is another call, in another voice."""
        self.spoken[key] = 0
        self.calls[key] += 1
        stamp = self.clock.wall_ms() if timestamp is None else timestamp
        place = Partition(CALLS, partition)
        return self.cluster.append(place, None, key.encode(), timestamp=stamp)

    def garble(self, records: int = 1, *, partition: int = 0, key: bytes | None = None) -> None:
        """Write records that nobody can understand."""
        for _ in range(records):
            place = Partition(CALLS, partition)
            self.cluster.append(place, b"?", key, timestamp=self.clock.wall_ms())

    # What came of it.

    def audio(self, key: str = "call") -> list[bytes]:
        """What each of the caller's streams has taken."""
        return [b"".join(stream.audio) for stream in self.api.of[key]]

    def written(self, topic: str, key: str | None = None) -> list[Outgoing]:
        """Acknowledged records of an output topic."""
        wanted = None if key is None else key.encode()
        sent = [*self.sink.sent, *(r for made in self.transactors for r in made.sent)]
        return [r for r in sent if r.topic == topic and wanted in (None, r.key)]

    def results(self, key: str | None = None) -> list[Json]:
        """Acknowledged results."""
        return [_read(r.value or b"{}") for r in self.written(RESULTS, key)]

    def spans(self, key: str = "call") -> list[tuple[float, float]]:
        """Start and end in call seconds of the caller's results."""
        return [(result["start"], result["end"]) for result in self.results(key)]

    def events(self, key: str | None = None) -> list[Json]:
        """Acknowledged session events."""
        return [json.loads(r.value or b"{}") for r in self.written(SESSIONS, key)]

    def reasons(self, key: str | None = None) -> list[str]:
        """Why each dead letter was written."""
        return [headers(r)["dlq-reason"].decode() for r in self.written(LETTERS, key)]

    def committed(self, partition: int = 0) -> int:
        """The committed offset, 0 when there is none."""
        return self.source.group.committed.get(Partition(CALLS, partition), Offset(0))

    def end(self, partition: int = 0) -> int:
        """The end of a partition."""
        return self.cluster.logs[Partition(CALLS, partition)].end

    @property
    def done(self) -> bool:
        """All that was written is committed."""
        places = self.cluster.partitions(CALLS)
        return all(self.committed(p.number) == self.end(p.number) for p in places)

    async def until(self, condition: Callable[[], object], within: float = 600.0) -> None:
        """Wait for this to become true."""
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - any condition, and time is virtual
                await asyncio.sleep(0.05)

    async def until_turn(self, condition: Callable[[], object], turns: int = 10_000) -> None:
        """Wait until this becomes true and stop right there, before any time passes."""
        for _ in range(turns):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it did not become true")

    async def until_done(self, within: float = 600.0) -> None:
        """Wait until all that was written is committed."""
        await self.until(lambda: self.done, within)

    # The engine.

    @asynccontextmanager
    async def kitted(self) -> AsyncIterator[Kit]:
        """A kit for single parts of the engine; what they have spawned ends with the test."""
        await self.sink.start()
        async with asyncio.TaskGroup() as tasks:
            others = asyncio.all_tasks()
            try:
                yield self.kit(tasks)
            finally:
                for task in asyncio.all_tasks() - others:
                    task.cancel()

    async def serve(self) -> None:
        """Run the engine as the service does, until it is stopped."""
        await self.sink.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                self.pipeline = Pipeline(self.kit(tasks))
                await self.pipeline.run()
        finally:
            await self.sink.stop()

    @asynccontextmanager
    async def running(self, *, alone: bool = True) -> AsyncIterator["asyncio.Task[None]"]:
        """The engine at work; stopped at the end, and nothing of it is left over.

        alone: nobody else has tasks that come and go, so that leftovers can be told.
        """
        others = asyncio.all_tasks()
        task = asyncio.create_task(self.serve(), name="engine")
        try:
            await self.until(lambda: task.done() or self.pipeline is not None)
            yield task
            self.stop()
            async with asyncio.timeout(600):
                await task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if task.done() and not task.cancelled():
                task.exception()
        await settle_down()
        assert not alone or asyncio.all_tasks() <= others

    def stop(self) -> None:
        """Ask the engine to hand over and end."""
        assert self.pipeline is not None
        self.pipeline.stop()

    @property
    def engine(self) -> Pipeline:
        """The running pipeline."""
        assert self.pipeline is not None
        return self.pipeline


@lru_cache(maxsize=10_000)
def _read(value: bytes) -> Json:
    """A result; oracles read them again and again."""
    found: Json = json.loads(value)
    return found


def headers(record: Outgoing) -> dict[str, bytes]:
    """A record's headers by name."""
    return dict(record.headers)


async def settle_down(turns: int = 20) -> None:
    """Let everybody do what they are ready to do."""
    for _ in range(turns):
        await asyncio.sleep(0)
