"""Told to stop, whatever it is doing, a consumer ends in time, and the next one leaves nothing out.

The brokers are Apache Kafka, whose groups and transactions are the real ones. Kafka and the API
that are away are in `test_shutdown_outages.py`.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.e2e.calls import Call, readings
from tests.e2e.oracle import dropped
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

_GRACE_SECONDS = 6
_BUDGETS = {"SHUTDOWN__TIMEOUT_SECONDS": _GRACE_SECONDS, "COMMIT__REVOKE_SECONDS": 2}
_PATIENT_SECONDS = 20
_PATIENT = {"KAFKA__SESSION_TIMEOUT_SECONDS": _PATIENT_SECONDS}
"""For members that sleep and are not to be thrown out for it."""
_COMMIT_SECONDS = 0.2
"""Between two commits, as the stage has it."""

modes = pytest.mark.parametrize("mode", ["handoff", "drain"])
deliveries = pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
ways = pytest.mark.parametrize(
    ("mode", "delivery"), [("handoff", "exactly_once"), ("drain", "at_least_once")]
)


@modes
async def test_idle(apache_stage: Stage, mode: str) -> None:
    """With nothing to do: nothing was ever fed, and then, all calls have ended."""
    stage = apache_stage
    consumer = await stage.start(SHUTDOWN__MODE=mode, **_BUDGETS)
    for turn in ("first", "second"):
        await stage.until(partial(_owns, consumer, 2), f"everything given to the {turn}")
        await consumer.bow_out(_GRACE_SECONDS)
        calls = readings(2, partitions=2, prefix=turn)
        await stage.feeder.play(calls, end=True)
        consumer = await stage.start_consumer(SHUTDOWN__MODE=mode, **_BUDGETS)
        await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []


@ways
async def test_catching_up(apache_stage: Stage, mode: str, delivery: str) -> None:
    """With a backlog of many calls, most of which it has not settled."""
    stage = apache_stage
    calls = readings(16, partitions=2)
    await stage.feeder.play(calls, end=True)
    records = sum(call.chunks + 1 for call in calls)
    first = await stage.start(SHUTDOWN__MODE=mode, DELIVERY=delivery, **_BUDGETS)
    await stage.until(lambda: bool(stage.topics.results), "a first result")
    assert await stage.lag() > records / 2
    await first.bow_out(_GRACE_SECONDS)
    await stage.start_consumer(DELIVERY=delivery)
    await stage.over()
    await _nothing_amiss(stage, delivery, compared=calls[:2])
    assert mode != "drain" or _heard_once(stage)


@modes
@deliveries
async def test_rebalance(apache_stage: Stage, mode: str, delivery: str) -> None:
    """While the group waits for it to join again, because another replica has joined.

    It sleeps until the group does, so that it learns of both in one moment.
    """
    stage = apache_stage
    calls = readings(4, partitions=2)
    way = {"SHUTDOWN__MODE": mode, "DELIVERY": delivery, **_PATIENT, **_BUDGETS}
    first = await stage.start(**way)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    async with _asleep(first):
        await stage.start_consumer(**way)
        await stage.until(lambda: _rebalancing(stage), "a group that waits for its members")
    await first.bow_out(_GRACE_SECONDS)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    await _nothing_amiss(stage, delivery)


async def test_joining(apache_stage: Stage) -> None:
    """While it waits to be let in, because another replica does not answer the group.

    It leaves no trace there, so the other has its partitions again before a session is over.
    """
    stage = apache_stage
    calls = readings(2, partitions=2)
    first = await stage.start(**_PATIENT, **_BUDGETS)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    async with _asleep(first):
        second = await stage.start_consumer(**_PATIENT, **_BUDGETS)
        await stage.until(lambda: _rebalancing(stage), "a group that waits for its members")
        await second.bow_out(_GRACE_SECONDS)
    await stage.feeder.play(calls, end=True)
    await stage.over(_PATIENT_SECONDS / 2)
    await _nothing_amiss(stage, "at_least_once")


@modes
async def test_transactions(apache_stage: Stage, mode: str) -> None:
    """In the middle of transactions, at several moments between two commits."""
    stage = apache_stage
    calls = readings(4, partitions=2)
    way = {"SHUTDOWN__MODE": mode, "DELIVERY": "exactly_once", **_BUDGETS}
    consumer = await stage.start(**way)
    async with stage.feeder.steadily(calls):
        for moment in (0.0, 0.3, 0.6, 0.9):
            await stage.until(partial(_more_than, stage, len(stage.topics.results)), "a result")
            await asyncio.sleep(moment * _COMMIT_SECONDS)
            await consumer.bow_out(_GRACE_SECONDS)
            consumer = await stage.start_consumer(**way)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    await _nothing_amiss(stage, "exactly_once")
    assert mode != "drain" or _heard_once(stage)


async def _nothing_amiss(
    stage: Stage, delivery: str, compared: Sequence[Call] | None = None
) -> None:
    assert await stage.complaints(restarted=True, compared=compared) == []
    assert stage.topics.letters == []
    if delivery == "exactly_once":
        assert dropped(stage.topics.results) == []


@asynccontextmanager
async def _asleep(consumer: Consumer) -> AsyncIterator[None]:
    """It stands still meanwhile."""
    os.kill(consumer.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(consumer.pid, signal.SIGCONT)


def _heard_once(stage: Stage) -> bool:
    """Of all audio: the API has heard it, and none of it again."""
    heard = sum(len(stream.audio) for stream in stage.streams)
    return heard == sum(len(one.call.heard) for one in stage.feeder.sent.values())


def _more_than(stage: Stage, results: int) -> bool:
    return len(stage.topics.results) > results


async def _rebalancing(stage: Stage) -> bool:
    return await stage.topics.group_state() == "PreparingRebalance"


async def _owns(consumer: Consumer, partitions: int) -> bool:
    return (await consumer.metrics()).get("partitions_owned") == partitions
