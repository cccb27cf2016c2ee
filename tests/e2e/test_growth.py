"""The input gains partitions while the service runs."""

from dataclasses import replace

import pytest

from tests.e2e.calls import Call, call, readings, spoken
from tests.e2e.feeder import Feeder
from tests.e2e.guarded import Delivery, checkpoints
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage
from tests.e2e.topics import Event
from tests.kafka.cluster import Cluster
from tests.kafka.growth import grow

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

BEFORE, AFTER = 2, 3
REFRESH_SECONDS = 1
NOTICED_SECONDS = 15.0
"""A refresh, a rebalance and the taking of a partition, on a machine that does other things too."""


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
async def test_gained_partition(
    apache_stage: Stage, apache_kafka: Cluster, delivery: Delivery
) -> None:
    """With the outputs first it is read soon; calls that stay go on, one that moves begins anew."""
    stage, calls = apache_stage, readings(2, partitions=BEFORE)
    moving = call("moving", spoken(("reading_unless", 1.5), 16_000), partition=0)
    consumer = await stage.start(KAFKA__REFRESH_SECONDS=REFRESH_SECONDS, DELIVERY=delivery)
    await stage.feeder.play(calls, until=9)
    await put(stage, moving, until=2)
    await stage.first_utterances(calls)
    await grow(apache_kafka, outputs(stage), AFTER)
    await grow(apache_kafka, [stage.names.input], AFTER)
    await stage.topics.grow(AFTER)
    await stage.until(lambda: _owns(consumer, AFTER), "the new partition", NOTICED_SECONDS)
    await put(stage, replace(moving, partition=2), end=True)
    await put(stage, moving, until=0, end=True)  # spares us the wait until the rest of it is idle
    await stage.feeder.play(calls, end=True)
    await stage.over()
    await stage.until(lambda: len(events(stage, "ended")) == 2, "both ends of the call that moved")
    wrong = await stage.complaints()
    strange = [each for each in wrong if "that no call has" in each]
    assert wrong == strange, "the oracle knows calls of one partition only"
    assert len(strange) == 2, "the streams of the call that moved"
    assert stage.topics.letters == []
    starts = sorted((e.partition, e.resumed) for e in events(stage, "started"))
    assert starts == [(0, False), (2, False)]
    heard = {e.partition: e.summary["audio_ms"] for e in events(stage, "ended")}
    assert heard == {0: 2000, 2: len(moving.heard) // 2 // 16}


@pytest.mark.parametrize(
    ("small", "delivery"),
    [("checkpoints", "at_least_once"), ("results", "exactly_once")],
)
async def test_output_left_behind(
    apache_stage: Stage, apache_kafka: Cluster, small: str, delivery: Delivery
) -> None:
    """A topic with too few partitions ends the service with its name, and nothing is committed."""
    stage = apache_stage
    calls = readings(AFTER, partitions=AFTER)
    consumer = await stage.start(KAFKA__REFRESH_SECONDS=REFRESH_SECONDS, DELIVERY=delivery)
    await stage.feeder.play(calls[:BEFORE], until=9)
    await stage.first_utterances(calls[:BEFORE])
    name = checkpoints(stage.names) if small == "checkpoints" else stage.names.results
    await grow(apache_kafka, [each for each in outputs(stage) if each != name], AFTER)
    await grow(apache_kafka, [stage.names.input], AFTER)
    await stage.topics.grow(AFTER)
    async with Feeder(stage.brokers, stage.names.input) as feeder:
        await feeder.play(calls[BEFORE:])
    code, words = await consumer.gives_up()
    assert code == 1
    assert "Traceback" not in words
    said = [line for line in words.splitlines() if line.startswith("detection-consumer: ")]
    assert len(said) == 1, words
    assert f"{name} has no partition {BEFORE}" in said[0]
    assert (await stage.topics.committed())[BEFORE] == 0


async def put(stage: Stage, moved: Call, *, until: float | None = None, end: bool = False) -> None:
    """Feed a call that the oracle is not told of."""
    async with Feeder(stage.brokers, stage.names.input) as feeder:
        await feeder.play([moved], until=until, end=end)
    for number, offset in feeder.ends.items():
        stage.feeder.ends[number] = max(stage.feeder.ends.get(number, 0), offset)


def outputs(stage: Stage) -> list[str]:
    """Everything that the service writes to."""
    names = stage.names
    return [names.results, names.sessions, names.letters, checkpoints(names)]


def events(stage: Stage, kind: str) -> list[Event]:
    """Those of this kind of the call that moves."""
    return [e for e in stage.topics.events if e.session == "moving" and e.kind == kind]


async def _owns(consumer: Consumer, partitions: int) -> bool:
    return (await consumer.metrics()).get("partitions_owned") == partitions
