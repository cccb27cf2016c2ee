"""A call ends when nothing comes any more, and only then."""

import asyncio

from consumer.core.policy import FlowPolicy
from tests.engine.props import Numbers, voice
from tests.engine.stand import Stand, virtual_time

pytestmark = virtual_time


def ends(stand: Stand, key: str | None = None) -> list[str]:
    """Why calls have ended so far."""
    return [event["reason"] for event in stand.events(key) if event["event"] == "ended"]


async def test_a_quiet_call_ends_after_the_timeout() -> None:
    """By the wall clock, since the partition is read to its end."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=1)
        await asyncio.sleep(59)
        assert ends(stand) == []
        await asyncio.sleep(10)
        assert ends(stand) == ["idle"]
        assert stand.done


async def test_a_call_that_goes_on_does_not_end() -> None:
    """Records within the timeout keep it alive."""
    stand = Stand()
    async with stand.running():
        for _ in range(10):
            stand.speak(seconds=1)
            await asyncio.sleep(55)
        assert ends(stand) == []
        assert len(stand.events()) == 1


async def test_a_partition_that_is_left_out_ends_nobody() -> None:
    """What it holds is not known, so the wall clock says nothing about its calls."""
    flow = FlowPolicy(unsettled=8)
    stand = Stand(lambda _: None, numbers=Numbers(flow=flow))
    async with stand.running():
        stand.speak(seconds=2)
        await asyncio.sleep(20)
        assert stand.metrics.values["partitions_left_out"] == 1
        stand.speak(seconds=2)
        await asyncio.sleep(300)
        assert ends(stand) == []
        assert len(stand.events()) == 1


async def test_a_partition_that_comes_back_is_not_caught_up_at_once() -> None:
    """After a time without fetches the timeout counts from the first one that finds nothing."""
    stand = Stand()
    async with stand.running():
        stand.speak("a", 1)
        await asyncio.sleep(10)
        gate = stand.source.script.hold("poll")
        await asyncio.sleep(300)
        stand.speak("a", 1)
        assert ends(stand) == []
        gate.set()
        await asyncio.sleep(20)
        assert len(stand.events()) == 3, "by their time stamps these are two calls"
        assert stand.audio("a") == [voice("a", 0, 100), voice("a", 100, 100)]


async def test_a_pause_of_ours_ends_no_call_that_went_on() -> None:
    """What was said meanwhile lies in the log, and is read before anybody is called idle."""
    stand = Stand()
    async with stand.running():
        stand.speak("a", 1)
        await asyncio.sleep(10)
        gate = stand.source.script.hold("poll")
        for _ in range(10):
            await asyncio.sleep(30)
            stand.speak("a", 1)
        gate.set()
        await asyncio.sleep(20)
        assert len(stand.events()) == 1
        assert stand.audio("a") == [voice("a", 0, 1100)]


async def test_a_partition_that_is_being_taken_ends_nobody() -> None:
    """While it is restoring its records are not read, however long that takes."""
    stand = Stand()
    async with stand.running():
        stand.speak("a", 1)
        await asyncio.sleep(25)
        gate = stand.source.script.hold("standing")
        await stand.source.group.rebalance()
        for _ in range(10):
            await asyncio.sleep(25)
            stand.speak("a", 1)
        assert ends(stand) == []
        gate.set()
        await asyncio.sleep(20)
        assert ends(stand) == []
        assert stand.audio("a")[-1].endswith(voice("a", 100, 1000))


async def test_while_behind_a_call_ends_in_topic_time() -> None:
    """An hour of backlog is read in a moment, and its calls end where they ended live."""
    stand = Stand()
    stand.source.limit = 50
    begin = stand.clock.wall_ms() - 3_600_000
    for second in range(3500):
        stamp = begin + second * 1000
        stand.speak("long", 1, chunk=1.0, timestamp=stamp)
        if second < 100:
            stand.speak("short", 1, chunk=1.0, timestamp=stamp)
    async with stand.running():
        await stand.until(lambda: ends(stand, "short"))
        assert ends(stand) == ["idle"]
        await stand.until(lambda: stand.spans("long")[-1][1] >= 3498)
        assert ends(stand, "long") == []
        assert stand.clock.monotonic() < 60
    assert stand.audio("short") == [voice("short", 0, 10_000)]
    assert b"".join(stand.audio("long")) == voice("long", 0, 350_000)


async def test_one_wrong_clock_ends_no_other_call() -> None:
    """A record from the future moves topic time at most to now."""
    stand = Stand()
    async with stand.running():
        for second in range(60):
            stand.speak("good", 1)
            far = stand.clock.wall_ms() + 86_400_000
            stand.speak("wrong", 1, timestamp=far + second * 1000)
            await asyncio.sleep(1)
        assert ends(stand) == []
        assert len(stand.events()) == 2


async def test_a_clock_that_is_behind_ends_no_call() -> None:
    """Neither when it comes first nor when topic time leaps to that of the others."""
    stand = Stand()
    async with stand.running():
        for _ in range(60):
            for key in ("slow", "a", "b", "c"):
                behind = 86_400_000 if key == "slow" else 0
                stand.speak(key, 1, timestamp=stand.clock.wall_ms() - behind)
            await asyncio.sleep(1)
        assert ends(stand) == []
        assert len(stand.events()) == 4


async def test_an_idle_call_that_comes_back_is_another_call() -> None:
    """Its key lives again, with times from zero and a name of its own."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=3)
        await asyncio.sleep(90)
        stand.spoken["call"] = 0
        stand.speak(seconds=3)
        stand.hang_up()
        await stand.until_done()
    assert ends(stand) == ["idle", "marked"]
    assert stand.spans() == [(0, 2), (0, 2)]
    assert len({event["incarnation"]["offset"] for event in stand.events()}) == 2
