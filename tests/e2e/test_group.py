"""Replicas come and go: what one leaves another goes on with, and nothing is left out."""

import asyncio
import signal

import pytest

from tests.e2e.calls import readings
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


async def test_second_joins_first_leaves(stage: Stage) -> None:
    """Two replicas share the calls, and the one that stays takes over all of them.

    A call that changes hands begins an incarnation that is marked as resumed.
    """
    calls = readings(6, partitions=2)
    first = await stage.start()
    await stage.feeder.play(calls, until=7)
    await stage.first_utterances(calls)
    second = await stage.start_consumer()
    await stage.feeder.play(calls, until=9)
    await stage.until(lambda: _owns(first, 1), "one partition left to the first")
    await stage.until(lambda: _owns(second, 1), "one partition given to the second")
    await stage.feeder.play(calls, until=12)
    assert await first.stop() == 0
    await stage.until(lambda: _owns(second, 2), "everything given to the second")
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    resumed = {event.session for event in stage.topics.events if event.resumed}
    assert resumed == {call.key for call in calls}


@pytest.mark.parametrize(
    ("mode", "number"), [("handoff", signal.SIGTERM), ("drain", signal.SIGINT)]
)
async def test_stop_and_go_on(stage: Stage, mode: str, number: signal.Signals) -> None:
    """A consumer that is told to stop in mid-call exits with 0, and the next one goes on.

    Where it drains, everything that was sent is settled, and none of it is heard again.
    """
    calls = readings(4, partitions=2)
    first = await stage.start(SHUTDOWN__MODE=mode)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.until(lambda: _heard(stage) >= 4 * 9, "nine seconds of each call heard")
    assert await first.stop(number) == 0
    drained = not await stage.lag()
    await stage.feeder.play(calls, end=True)
    await stage.start_consumer()
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    assert drained == (mode == "drain")
    whole = sum(call.frames / call.rate for call in calls)
    assert (_heard(stage) == pytest.approx(whole)) == drained


async def test_nothing_left_to_do(stage: Stage) -> None:
    """A consumer that finds everything settled is ready, and takes what comes later."""
    before, after = readings(2, partitions=2), readings(2, partitions=2, prefix="later")
    first = await stage.start()
    await stage.feeder.play(before, end=True)
    # End marks of nobody, as one batch: of a batch the embedded broker knows the end only when
    # records are fetched.
    strays = [await stage.feeder.put(b"stray", None, (), n % 2) for n in range(20)]
    await asyncio.gather(*strays)
    await stage.over()
    assert await first.stop() == 0
    second = await stage.start_consumer()
    assert not await second.started(), "the group takes its time"
    await stage.until(lambda: _owns(second, 2), "everything given to the second")
    assert await second.started()
    assert await second.ready() == (True, [])
    await stage.feeder.play(after, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []


async def test_killed_consumer(stage: Stage) -> None:
    """After a crash the next consumer hears again what was not settled, and nothing is left out."""
    calls = readings(4, partitions=2)
    first = await stage.start()
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    await stage.feeder.play(calls, end=True)
    await stage.start_consumer()
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []


async def _owns(consumer: Consumer, partitions: int) -> bool:
    return (await consumer.metrics()).get("partitions_owned") == partitions


def _heard(stage: Stage) -> float:
    """Seconds of audio that the API has received."""
    return sum(len(stream.audio) for stream in stage.streams) / 2 / 16_000
