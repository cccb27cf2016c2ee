"""An hour of music on hold, and an hour of talk that has piled up: bounded, complete and fast.

The time that both take is the sandbox's: its voice activity model hears one call at a few hundred
times the speed of speech, and many at once at less than a thousand times.
"""

import pytest

from consumer.model import Encoding
from tests.e2e.calls import READING, call, looped, music, spoken
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(400)]

HOUR_SECONDS = 3600
PATIENCE_SECONDS = HOUR_SECONDS / 20
PHONE_HERTZ = 8_000
BOUND_MIB = 300
"""Of a consumer's memory. It starts with some 80 MiB; a stream may hold 1 MiB itself and some 4 MiB
in gRPC's buffers, a partition 8 MiB before it is left out of the fetch and 1 MiB of prefetch.
"""
GROWTH_MIB = 20
"""Between a third of an hour and the whole hour; the 40 minutes would take 37 MiB."""


async def test_hour_of_hold_music(stage: Stage) -> None:
    """A call on hold for an hour has no results, is settled by roll-over, and takes no memory."""
    sound = music(HOUR_SECONDS, PHONE_HERTZ)
    held = call("on-hold", sound, rate=PHONE_HERTZ, encoding=Encoding.PCM_MULAW)
    consumer = await stage.start(API__HORIZON_SECONDS=1)

    async def nearly_settled() -> bool:
        return await stage.lag() * held.chunk_ms < 30_000

    await stage.feeder.play([held], until=HOUR_SECONDS / 3)
    await stage.until(nearly_settled, "20 minutes settled without an end", PATIENCE_SECONDS)
    early = consumer.peak_mib
    await stage.feeder.play([held])
    await stage.until(nearly_settled, "an hour settled without an end", PATIENCE_SECONDS)
    rolled = len(stage.streams)
    await stage.feeder.end(held)
    await stage.over()
    assert await stage.complaints(compared=()) == []
    assert stage.topics.results == []
    assert stage.topics.letters == []
    assert rolled > 3
    assert all(stream.good for stream in stage.streams)
    assert sum(len(stream.audio) for stream in stage.streams) == len(held.heard)
    assert consumer.peak_mib < min(early + GROWTH_MIB, BOUND_MIB)


async def test_hour_of_backlog(stage: Stage) -> None:
    """Twelve calls of five minutes that lie on the topic already are heard in three at most."""
    minutes = looped(spoken(READING, PHONE_HERTZ), HOUR_SECONDS / 12, PHONE_HERTZ)
    calls = [
        call(
            *(f"call-{number}", minutes),
            partition=number % 2,
            rate=PHONE_HERTZ,
            encoding=Encoding.PCM_MULAW,
            chunk_ms=100,
        )
        for number in range(12)
    ]
    await stage.feeder.play(calls, end=True)
    consumer = await stage.start()
    await stage.over(PATIENCE_SECONDS)
    assert await stage.complaints(compared=calls[:1]) == []
    assert stage.topics.letters == []
    assert all(len(stage.topics.of(one.key)) > 100 for one in calls)
    assert consumer.peak_mib < BOUND_MIB
