"""Producers whose clocks are wrong."""

import asyncio

import pytest

from tests.e2e.calls import Call, readings
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

AHEAD_SECONDS, BEHIND_SECONDS = 3_000.0, -86_400.0
"""Brokers take records of at most an hour from now."""


async def test_wrong_clocks(apache_stage: Stage) -> None:
    """Nobody's call ends early, neither those with wrong clocks nor their neighbours'.

    Neither while the partition is behind, when time is what records say, nor later, nor when
    another consumer takes over.
    """
    stage, calls = apache_stage, readings(5)
    stage.feeder.clocks |= {"call-0": BEHIND_SECONDS, "call-1": AHEAD_SECONDS}
    await stage.feeder.play(calls, until=9)
    first = await stage.start()
    await stage.first_utterances(calls)
    await speak(stage, calls, 9, 11)
    assert await first.stop() == 0
    await stage.start_consumer()
    await speak(stage, calls, 11, 13)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []
    starts = sorted(event.session for event in stage.topics.events if event.kind == "started")
    assert starts == [call.key for call in calls], "a call that ended early and began anew"
    ends = [event.reason for event in stage.topics.events if event.kind == "ended"]
    assert ends == ["marked"] * len(calls)


async def speak(stage: Stage, calls: list[Call], start: int, end: int) -> None:
    """In real time: the service looks for calls that are over once a second."""
    for quarter in range(4 * start, 4 * end):
        await stage.feeder.play(calls, until=(quarter + 1) / 4)
        await asyncio.sleep(0.25)
