"""The service: builds every part, and owns their lifetime.

Up: logs, health, topics, sink, pipeline. Down: the reverse, so that what is on its way still gets
out. The first SIGTERM or SIGINT asks for a hand-over; another one does not wait for it. Until the
group is joined there is nothing to hand over, and a signal ends whatever is under way.
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from consumer.adapters.admin.server import AdminServer, Verdict
from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.kafka.checkpoints import KafkaCheckpoints
from consumer.adapters.kafka.replay import KafkaReplay
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.adapters.kafka.transactor import KafkaTransactor
from consumer.adapters.telemetry.clock import SystemClock
from consumer.adapters.telemetry.logs import Logs
from consumer.adapters.telemetry.metrics import Counts
from consumer.adapters.telemetry.push import Telemetry, pushing
from consumer.adapters.telemetry.scrape import Scrape
from consumer.app.connect import (
    admin_options,
    analyzer_options,
    kafka_options,
    log_options,
    measured_on,
    push_options,
    replay_options,
    sink_options,
    source_options,
    topic_options,
    transaction_options,
)
from consumer.app.grace import Grace
from consumer.codec.results import PublicationEncoder
from consumer.core.breaker import Breaker
from consumer.core.flow import Mark
from consumer.engine.kit import Kit, Policies
from consumer.engine.pipeline import Pipeline
from consumer.engine.unless import unless
from consumer.model import Partition
from consumer.ports import Log
from consumer.settings.settings import Delivery, Settings


async def serve(settings: Settings) -> None:
    """Run until a signal says stop. Raises KafkaFailed, ConfigurationError, in groups too."""
    logs = Logs(log_options(settings, terminal=sys.stderr.isatty()))
    counts = Counts()
    try:
        with _pushed(settings, counts):
            await _Service(settings, logs.log, counts).run()
    finally:
        logs.stop()


@contextlib.contextmanager
def _pushed(settings: Settings, counts: Counts) -> Iterator[None]:
    """Push metrics to a collector meanwhile, if that is wanted. Raises ConfigurationError."""
    options = push_options(settings)
    if options is None:
        yield
        return
    telemetry = Telemetry(counts, [pushing(options)], fixed=measured_on(settings))
    try:
        yield
    finally:
        telemetry.stop()


class _Service:
    def __init__(self, settings: Settings, log: Log, counts: Counts) -> None:
        self._settings = settings
        self._log = log
        self._counts = counts
        kafka = kafka_options(settings.kafka)
        self._kafka = kafka
        self._sink = KafkaSink(kafka, sink_options(settings.kafka))
        self._source = KafkaSource(kafka, source_options(settings.kafka))
        self._replay = KafkaReplay(kafka, replay_options())
        self._checkpoints = KafkaCheckpoints(kafka, settings.kafka.checkpoints, replay_options())
        self._analyzer = GrpcAnalyzer(analyzer_options(settings.api))
        self._grace = Grace(settings.shutdown.timeout_seconds, log)
        self._pipeline: Pipeline | None = None

    async def run(self) -> None:
        """From the first connection to the last."""
        await self._grace.bound(self._run)
        self._log.info("stopped")

    async def _run(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            if self._settings.admin.enabled:
                page = Scrape(self._counts, measured_on(self._settings)).page
                options = admin_options(self._settings.admin)
                probes = {"/live": self._live, "/ready": self._ready, "/startup": self._started}
                admin = AdminServer(options, probes, self._status, page)
                await admin.start()
                stack.push_async_callback(self._grace.close, admin.stop)
                self._log.info("health is served", port=admin.port)
            if not await unless(self._grace.asked, self._connect(stack)):
                return
            async with asyncio.TaskGroup() as tasks:
                self._pipeline = Pipeline(self._kit(tasks), self._grace.asked)
                _settle_in()
                await self._pipeline.run()

    async def _connect(self, stack: contextlib.AsyncExitStack) -> None:
        """Connect all but the member of the group, and have it undone in the end."""
        async with KafkaTopics(self._kafka) as topics:
            await topics.prepare(topic_options(self._settings.kafka))
        stack.push_async_callback(self._grace.close, self._analyzer.stop)
        stack.push_async_callback(self._grace.close, self._replay.stop)
        await self._sink.start()
        stack.push_async_callback(self._grace.close, self._sink.stop)

    def _kit(self, tasks: asyncio.TaskGroup) -> Kit:
        settings = self._settings
        flow = settings.flow_policy()
        kafka = settings.kafka
        return Kit(
            source=self._source,
            sink=self._sink,
            replay=self._replay,
            analyzer=self._analyzer,
            clock=SystemClock(),
            metrics=self._counts,
            log=self._log,
            policies=Policies(
                session=settings.session_policy(),
                idle=settings.idle_policy(),
                flow=flow,
                commit=settings.commit_policy(),
                stalled=settings.admin.stalled_seconds,
            ),
            defaults=settings.chunk_defaults(),
            encoder=PublicationEncoder(
                kafka.results_topic, kafka.sessions_topic, settings.output.content_type
            ),
            dead_letter_topic=kafka.dead_letters,
            checkpoint_topic=kafka.checkpoints,
            checkpoints=self._checkpoints,
            transactor=self._transactor if settings.delivery is Delivery.EXACTLY_ONCE else None,
            owner=uuid4().hex,
            breaker=Breaker(settings.breaker_policy()),
            backlog=Mark(flow.process_high, flow.process_low),
            held=Mark(flow.process_high, flow.process_low),
            tasks=tasks,
        )

    def _transactor(self, partition: Partition) -> KafkaTransactor:
        kafka = self._settings.kafka
        return KafkaTransactor(
            self._kafka, sink_options(kafka), transaction_options(kafka), partition
        )

    def _live(self) -> Verdict:
        if self._pipeline is None or self._pipeline.watchdog.alive:
            return Verdict(ok=True)
        return Verdict(ok=False, reasons=("the poll loop stands still",))

    def _started(self) -> Verdict:
        """Let in by the group; what comes later is for the other probes to tell."""
        if self._pipeline is None:
            return Verdict(ok=False, reasons=("connecting",))
        if not self._pipeline.ownership.joined:
            return Verdict(ok=False, reasons=("the consumer group has not let us in yet",))
        return Verdict(ok=True)

    def _ready(self) -> Verdict:
        if self._pipeline is None:
            return Verdict(ok=False, reasons=("starting",))
        troubles = self._pipeline.watchdog.troubles()
        return Verdict(ok=not troubles, reasons=tuple(troubles))

    def _status(self) -> Mapping[str, Any]:
        partitions = () if self._pipeline is None else self._pipeline.watchdog.partitions
        return {
            "ready": self._ready(),
            "partitions": partitions,
            "metrics": dict(self._counts.values),
        }


def _settle_in() -> None:
    """Let the garbage collector pass over what was loaded, which stays, and come more rarely.

    Records and events die by themselves. With the defaults, which suit small scripts, it comes
    after every few dozen chunks and looks at all those that still wait for their results.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
