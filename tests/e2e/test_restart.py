"""All brokers go at once, in mid-call, and come back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.calls import readings
from tests.e2e.guarded import Delivery
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]


@pytest.fixture(scope="module")
def mortal_kafka(new_kafka: KafkaFactory) -> Iterator[Cluster]:
    """One node is all brokers there are."""
    with new_kafka() as running:
        yield running


@pytest.fixture
async def mortal_stage(tmp_path: Path, mortal_kafka: Cluster) -> AsyncIterator[Stage]:
    async with Stage(tmp_path, apache=mortal_kafka) as stage:
        yield stage


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
async def test_all_brokers_restart(
    mortal_stage: Stage, mortal_kafka: Cluster, delivery: Delivery
) -> None:
    """The process lives on, and its calls do; nothing is missing and nothing is given up."""
    stage, calls = mortal_stage, readings(4, partitions=2)
    consumer = await stage.start(DELIVERY=delivery)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.feeder.play(calls, until=13)
    assert await stage.lag(), "calls in their middle"
    mortal_kafka.kill_all()
    assert await consumer.live()
    mortal_kafka.restart(1)
    await asyncio.to_thread(mortal_kafka.wait_ready)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    assert not any(event.resumed for event in stage.topics.events)
    assert not consumer.died
    assert await consumer.ready() == (True, [])
