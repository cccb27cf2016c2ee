"""The API goes away, hangs, breaks, refuses: nothing is lost, and those whom it serves go on.

Calls are fed in parts, and each next part when what the test is about has happened, so that every
call is in its middle then, however fast or slow the machine is.
"""

import numpy as np
import pytest

from tests.e2e.calls import READING, Call, call, looped, phone_readings, readings, spoken
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


async def test_killed_api_comes_back(stage: Stage) -> None:
    """Calls outlive an API that is killed in their middle and comes back on the same port."""
    calls = readings(4, partitions=2)
    consumer = await stage.start()
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.kill_sandbox()
    await stage.feeder.play(calls, until=12)
    await stage.until(lambda: consumer.blames("the API"), "a consumer that misses the API")
    assert await consumer.live()
    assert await consumer.started()
    assert not any(stage.topics.ended(one.key) for one in calls)
    await stage.start_sandbox()
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert sum(stream.status is None for stream in stage.streams) == len(calls)
    assert await consumer.ready() == (True, [])


async def test_broken_streams(stage: Stage) -> None:
    """Calls outlive error statuses, one refusal of their audio, and an OK before its time."""
    faults = (
        *("unavailable-after=6;stream=0", "ok-after=6.5;stream=1", "aborted-after=0;stream=2"),
        *("resource-exhausted-after=1;stream=3", "invalid-argument-after=3;stream=4"),
        *("unknown-after=2;stream=6", "data-loss-after=4;stream=7"),
    )
    calls = readings(6, partitions=2)
    await stage.start(*faults)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert _acted(stage) >= set(faults[:5])


async def test_cut_connections(stage: Stage) -> None:
    """Calls outlive it when the connection that carries them breaks, twice."""
    calls = readings(6, partitions=2)
    await stage.start("cut-after=7;stream=0")
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await stage.until(lambda: bool(_acted(stage)), "the first cut")
    await stage.until(lambda: bool(_open(stage, len(calls))), "streams on another connection")
    number = _open(stage, len(calls))[0]
    await stage.add_fault(f"cut-after=0;stream={number}")
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert [bool(stream.faults) for stream in stage.streams[: number + 1]] == [
        each in (0, number) for each in range(number + 1)
    ]
    cancelled = [stream for stream in stage.streams if stream.status == "CANCELLED"]
    assert len(cancelled) > len(calls)


async def test_reading_stops_for_some(stage: Stage) -> None:
    """While the API reads nothing of some calls, the others of their partition go on to their end.

    When it reads again, the calls that hung go on, on the very streams that they had.
    """
    hanging = await _hang_two(stage)
    others = readings(3)
    await stage.feeder.play(others, end=True)
    await stage.until(lambda: all(stage.topics.ended(one.key) for one in others), "the others' end")
    assert not any(stage.topics.of(one.key) for one in hanging)
    assert not any(stage.topics.ended(one.key) for one in hanging)
    assert await stage.lag()
    await stage.clear_faults()
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert [stream.good for stream in stage.streams[:5]] == [True] * 5


async def test_reading_stops_for_good(stage: Stage) -> None:
    """A stream that takes nothing, or never says OK, is given up, and its call heard on another."""
    patience = {"API__STALL_TIMEOUT_SECONDS": 2, "API__CLOSE_TIMEOUT_SECONDS": 4}
    hanging = await _hang_two(stage, **patience)
    others = readings(3)
    await stage.feeder.play(others, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    given_up = stage.streams[: len(hanging)]
    assert [stream.status for stream in given_up] == ["CANCELLED"] * len(hanging)
    assert all(stream.faults for stream in given_up)


async def test_refused_credentials(stage: Stage) -> None:
    """Credentials that are refused for a while park all calls; nothing is given up.

    The consumer says that it is not ready and why, and is alive all the same.
    """
    calls = [*readings(2, partitions=2), *phone_readings(4, partitions=2)]
    consumer = await stage.start("unauthenticated-after=0")
    await stage.feeder.play(calls, until=9)
    await stage.until(lambda: consumer.blames("UNAUTHENTICATED"), "a consumer that says so")
    assert await consumer.live()
    tried = len(stage.streams)
    await stage.until(lambda: len(stage.streams) > tried + 2, "several probes")
    assert stage.topics.results == []
    assert await stage.lag() == sum(one.chunks for one in stage.feeder.sent.values())
    await stage.feeder.play(calls)
    await stage.clear_faults()
    whole = sum(len(one.heard) for one in calls)
    await stage.until(lambda: _heard(stage) == whole, "all of it heard, before any call's end")
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert await consumer.ready() == (True, [])


async def _hang_two(stage: Stage, **changes: object) -> list[Call]:
    """A stage with two calls whose streams aren't read after two seconds of audio.

    One of them is short, so that all of it fits into what connections hold under way; the other is
    so much longer that writing comes to a stand.
    """
    await stage.start("stop-reading-after=2;stream=0", "stop-reading-after=2;stream=1", **changes)
    loud = looped(spoken(READING, 48_000), 75, 48_000)
    hanging = [
        call("hanging-short", spoken(READING, 16_000)),
        call("hanging-long", loud.astype(np.int16), rate=48_000, chunk_ms=100),
    ]
    await stage.feeder.play(hanging, end=True)
    await stage.until(lambda: len(stage.streams) == 2, "two streams that hang")
    return hanging


def _acted(stage: Stage) -> set[str]:
    return {rule for stream in stage.streams for rule in stream.faults}


def _open(stage: Stage, after: int) -> list[int]:
    """The streams that carry audio now, from this number on; rules name them by number."""
    return [
        number
        for number, stream in enumerate(stage.streams)
        if number >= after and stream.status is None and stream.audio
    ]


def _heard(stage: Stage) -> int:
    """Bytes of audio that the API has received."""
    return sum(len(stream.audio) for stream in stage.streams)
