"""A change in the group breaks the streams of what changes hands, and not a single other one.

The brokers are Apache Kafka: what became of a partition while the group rebalanced is told by the
metadata of commits, which the embedded broker drops.
"""

import signal
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.calls import READING, Call, call, looped, spoken
from tests.e2e.evidence import Stream
from tests.e2e.oracle import dropped
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

_PARTITIONS = 6
_SECONDS = 40
"""Of each call; what is left when the group is at rest again is fed at once."""

Owners = Mapping[int, Consumer]


@asynccontextmanager
async def _stage(folder: Path, kafka: Cluster) -> AsyncIterator[Stage]:
    async with Stage(folder, partitions=_PARTITIONS, apache=kafka) as stage:
        yield stage


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
async def test_third_joins(tmp_path: Path, apache_kafka: Cluster, delivery: str) -> None:
    """A third replica joins two under load: of six partitions two move, and four go on as before.

    Of a call on one that moves the new owner opens the second stream.
    """
    async with _stage(tmp_path, apache_kafka) as stage:
        calls = _calls()
        await stage.start(DELIVERY=delivery)
        await stage.start_consumer(DELIVERY=delivery)
        before = await _shared(stage, 3)
        async with stage.feeder.steadily(calls):
            await stage.first_utterances(calls)
            await stage.start_consumer(DELIVERY=delivery)
            after = await _shared(stage, 2)
            assert not any(one.chunks == one.call.chunks for one in stage.feeder.sent.values())
        moved = {number for number, owner in after.items() if owner is not before[number]}
        assert len(moved) == _PARTITIONS / 3
        await _finish(stage, calls, moved)
        if delivery == "exactly_once":
            assert dropped(stage.topics.results) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_static_member_restarts(
    tmp_path: Path, apache_kafka: Cluster, number: signal.Signals
) -> None:
    """A member with a name comes back within its session: it has its partitions again, and nothing
    happens to the others.
    """
    async with _stage(tmp_path, apache_kafka) as stage:
        calls = _calls()
        named = [
            {"KAFKA__INSTANCE_ID": name, "KAFKA__SESSION_TIMEOUT_SECONDS": 30}
            for name in ("one", "two")
        ]
        first = await stage.start(**named[0])
        second = await stage.start_consumer(**named[1])
        before = await _shared(stage, 3)
        async with stage.feeder.steadily(calls):
            await stage.first_utterances(calls)
            epochs = await second.epochs()
            await first.stop(number)
            stage.consumers.remove(first)
            again = await stage.start_consumer(**named[0])
            after = await _shared(stage, 3)
        its = {number for number, owner in before.items() if owner is first}
        assert {number for number, owner in after.items() if owner is again} == its
        assert await second.epochs() == epochs
        await _finish(stage, calls, its)


def _calls() -> list[Call]:
    """One on each partition, longer than what is done meanwhile."""
    sound = looped(spoken(READING, 16_000), _SECONDS, 16_000)
    return [call(f"call-{n}", sound, partition=n) for n in range(_PARTITIONS)]


async def _finish(stage: Stage, calls: list[Call], moved: Collection[int]) -> None:
    """Every call is heard whole; on two streams where it has moved, on one where it has not."""
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    carried = {one.partition: len(_streams(stage, one)) for one in calls}
    assert carried == {number: 2 if number in moved else 1 for number in range(_PARTITIONS)}


async def _shared(stage: Stage, share: int) -> Owners:
    """Who owns what, once everybody works on as many partitions."""
    owners: dict[int, Consumer] = {}

    async def told() -> bool:
        owners.clear()
        shares = [(one, await one.epochs()) for one in stage.consumers]
        owners.update({number: one for one, epochs in shares for number in epochs})
        return len(owners) == _PARTITIONS and all(len(epochs) == share for _, epochs in shares)

    await stage.until(told, f"{share} partitions for each of {len(stage.consumers)}")
    return owners


def _streams(stage: Stage, one: Call) -> list[Stream]:
    """Those that have carried audio of this call."""
    return [each for each in stage.streams if each.audio and each.audio in one.heard]
