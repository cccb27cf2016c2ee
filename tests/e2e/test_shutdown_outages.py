"""Told to stop while the API or Kafka is away, a consumer ends in time, and nothing is left out."""

import asyncio
import signal
from asyncio import gather
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.calls import Call, readings
from tests.e2e.oracle import dropped
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

_GRACE_SECONDS = 6
_BUDGETS = {"SHUTDOWN__TIMEOUT_SECONDS": _GRACE_SECONDS, "COMMIT__REVOKE_SECONDS": 2}

_WAYS = [("handoff", "exactly_once"), ("drain", "at_least_once")]
ways = pytest.mark.parametrize(("mode", "delivery"), _WAYS)


@dataclass(slots=True)
class Act:
    """A stage, and what its consumers are told of modes and delivery."""

    stage: Stage
    mode: str
    delivery: str
    calls: Sequence[Call] = field(default_factory=lambda: readings(4, partitions=2))

    async def begin(self) -> Consumer:
        """A consumer in the middle of calls."""
        way = {"SHUTDOWN__MODE": self.mode, "DELIVERY": self.delivery, **_BUDGETS}
        first = await self.stage.start(**way)
        await self.stage.feeder.play(self.calls, until=9)
        await self.stage.first_utterances(self.calls)
        return first

    async def finish(self) -> None:
        """A successor brings the calls to their ends."""
        await _finished_by_another(self.stage, self.calls, self.delivery)


@pytest.fixture
async def acts(tmp_path: Path, new_kafka: KafkaFactory) -> AsyncIterator[tuple[Cluster, list[Act]]]:
    """Two stages, one for each way, side by side on a broker that may be killed."""
    async with AsyncExitStack() as stack:
        kafka = stack.enter_context(new_kafka())
        acts = []
        for mode, delivery in _WAYS:
            folder = tmp_path / mode
            folder.mkdir()
            stage = await stack.enter_async_context(Stage(folder, apache=kafka))
            acts.append(Act(stage, mode, delivery))
        yield kafka, acts


@ways
async def test_api_killed(apache_stage: Stage, mode: str, delivery: str) -> None:
    """While the API is gone: there is no stream to drain."""
    stage = apache_stage
    calls = readings(4, partitions=2)
    first = await stage.start(SHUTDOWN__MODE=mode, DELIVERY=delivery, **_BUDGETS)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.kill_sandbox()
    await stage.feeder.play(calls, until=12)
    await stage.until(lambda: first.blames("the API"), "a consumer that misses the API")
    await first.bow_out(_GRACE_SECONDS)
    await stage.start_sandbox()
    await _finished_by_another(stage, calls, delivery)


@ways
async def test_api_deaf(apache_stage: Stage, mode: str, delivery: str) -> None:
    """While the API takes no more audio and says nothing: no stream comes to its OK."""
    stage = apache_stage
    calls = readings(4, partitions=2)
    rules = [f"stop-reading-after=7;stream={number}" for number in range(len(calls))]
    first = await stage.start(*rules, SHUTDOWN__MODE=mode, DELIVERY=delivery, **_BUDGETS)
    await stage.feeder.play(calls, until=12)
    await stage.first_utterances(calls)
    await first.bow_out(_GRACE_SECONDS)
    assert all(stream.faults for stream in stage.streams)
    await stage.clear_faults()
    await _finished_by_another(stage, calls, delivery)


async def test_kafka_killed(acts: tuple[Cluster, list[Act]]) -> None:
    """While Kafka refuses connections: nothing can be published or committed any more."""
    kafka, both = acts
    consumers = await gather(*(act.begin() for act in both))
    await asyncio.to_thread(kafka.kill, 1)
    try:
        await gather(*(consumer.bow_out(_GRACE_SECONDS) for consumer in consumers))
    finally:
        kafka.restart(1)
        await asyncio.to_thread(kafka.wait_ready)
    await gather(*(act.finish() for act in both))


async def test_kafka_frozen(acts: tuple[Cluster, list[Act]]) -> None:
    """While Kafka holds its connections and answers nothing, also to one that is just starting."""
    kafka, both = acts
    consumers = await gather(*(act.begin() for act in both))
    kafka.node(1).signal(signal.SIGSTOP)
    try:
        consumers.append(await both[0].stage.start_consumer())
        await gather(*(consumer.bow_out(_GRACE_SECONDS) for consumer in consumers))
    finally:
        kafka.node(1).signal(signal.SIGCONT)
    await gather(*(act.finish() for act in both))


async def _finished_by_another(stage: Stage, calls: Sequence[Call], delivery: str) -> None:
    """A successor brings the calls to their ends."""
    await stage.start_consumer(DELIVERY=delivery)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    if delivery == "exactly_once":
        assert dropped(stage.topics.results) == []
