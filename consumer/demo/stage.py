"""The play itself: calls go in, and what comes out is followed to its end and judged."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from consumer.adapters.kafka.options import SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.tail import KafkaTail
from consumer.demo.backstage import Backstage, backstage
from consumer.demo.call import play
from consumer.demo.cast import Part
from consumer.demo.evidence import received
from consumer.demo.ledger import Entry, Ledger
from consumer.demo.names import Names
from consumer.demo.report import Outcome
from consumer.demo.show import Show
from consumer.errors import ConsumerError
from consumer.model import Offset, Partition, SessionKey
from consumer.ports import Sink

Offsets = Mapping[Partition, Offset | None]

_COMMIT_SECONDS = 15.0
_POLL_SECONDS = 0.25
_STAGGER_SECONDS = 0.4


class DemoFailed(ConsumerError):
    """The demo came to no end."""


async def perform(
    parts: Sequence[Part],
    show: Show,
    folder: Path,
    *,
    speed: float,
    limit_seconds: float,
    servers: str | None = None,
) -> Sequence[Outcome]:
    """Run the whole demo; what came of each call. folder: for logs and the audit.

    servers: of a Kafka to run on in place of the embedded broker.
    Raises ChildFailed, DemoFailed, KafkaFailed, AuditFailed.
    """
    names = Names.unique() if servers else Names()
    ledger = Ledger(*names.topics, {part.call.key: Entry() for part in parts})
    try:
        async with (
            asyncio.timeout(limit_seconds),
            backstage(folder, show.say, names, servers) as behind,
        ):
            return await _watched(Stage(parts, ledger, behind, show, speed), behind)
    except TimeoutError as error:
        waiting = ", ".join(key for key, entry in ledger.entries.items() if entry.ended is None)
        text = f"not over within {limit_seconds:g} s; calls that did not end: {waiting or 'none'}"
        raise DemoFailed(text) from error


class Stage:
    """One performance."""

    def __init__(
        self, parts: Sequence[Part], ledger: Ledger, behind: Backstage, show: Show, speed: float
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._behind = behind
        self._show = show
        self._speed = speed

    async def run(self) -> Sequence[Outcome]:
        """Play all calls at once, follow them to their end, look at what is left."""
        kafka, topics = self._behind.kafka, self._behind.names.topics
        sink = KafkaSink(kafka, SinkOptions(idempotent=self._behind.idempotent))
        await sink.start()
        try:
            async with KafkaTail(kafka, topics, from_beginning=True) as tail:
                self._show.say(f"calls     {len(self._parts)} at once, each in another guise")
                async with asyncio.TaskGroup() as group:
                    for number, part in enumerate(self._parts):
                        calling = self._call(number * _STAGGER_SECONDS, part, sink)
                        group.create_task(calling, name=f"call {part.call.key}")
                    await self._follow(tail)
                committed = await self._committed(tail)
            return [await self._outcome(part, committed) for part in self._parts]
        finally:
            await sink.stop()

    async def _call(self, delay: float, part: Part, sink: Sink) -> None:
        await asyncio.sleep(delay)
        await play(part.call, self._behind.names.input, sink, self._speed, self._heard)

    def _heard(self, key: SessionKey, seconds: float) -> None:
        self._ledger.entries[key].sent_seconds += seconds

    async def _follow(self, tail: KafkaTail) -> None:
        while not self._ledger.over:
            news = self._ledger.note(await tail.poll(_POLL_SECONDS))
            self._show.tell(news, self._ledger)

    async def _committed(self, tail: KafkaTail) -> Offsets:
        """The group's offsets, once they stand at the ends or when they don't in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _COMMIT_SECONDS
        while True:
            committed = await tail.committed(self._behind.names.group)
            done = self._ledger.complete and self._ledger.committed(committed)
            if done or loop.time() > deadline:
                return committed
            news = self._ledger.note(await tail.poll(_POLL_SECONDS))
            self._show.tell(news, self._ledger)

    async def _outcome(self, part: Part, committed: Offsets) -> Outcome:
        entry = self._ledger.entries[part.call.key]
        heard = await received(self._behind.audit, entry.pids, part.expected)
        return Outcome(part, entry, entry.settled(committed), heard)


async def _watched(stage: Stage, behind: Backstage) -> Sequence[Outcome]:
    """Run it for as long as every process lives. Raises ChildFailed when one ends before."""
    running = asyncio.create_task(stage.run(), name="stage")
    watchers = [
        asyncio.create_task(child.watch(), name=f"watch {child.name}") for child in behind.children
    ]
    try:
        await asyncio.wait([running, *watchers], return_when=asyncio.FIRST_COMPLETED)
        for watcher in watchers:
            if watcher.done():
                watcher.result()
        return await running
    finally:
        for task in (running, *watchers):
            task.cancel()
        await asyncio.wait([running, *watchers])
