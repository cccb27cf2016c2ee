"""Streams break and credentials are refused: all waits, and nothing is lost."""

import asyncio

from consumer.core.policy import FlowPolicy, MemoryPolicy, SessionPolicy, StreamPolicy
from consumer.model import Hertz, LevelChoice, StreamConfig
from tests.engine.props import Numbers, voice
from tests.engine.stand import LETTERS, Stand, virtual_time
from tests.engine.temper import UNAUTHENTICATED, UNAVAILABLE, tempered
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

SMALL = MemoryPolicy(held=2000, fetch=1000)


async def test_a_broken_stream_is_opened_again_with_all_unsettled_audio() -> None:
    """After a pause; the config, then everything from the last result on, with call times."""
    stand, temper = tempered()
    async with stand.running():
        for key in ("a", "b", "c", "d"):
            stand.speak(key, 5)
        await stand.until(lambda: len(stand.spans("a")) == 2)
        temper.moods["a"] = UNAVAILABLE
        stand.speak("a", 1)
        await stand.until(lambda: stand.api.of["a"][0].over)
        del temper.moods["a"]
        broke = stand.clock.monotonic()
        await stand.until(lambda: len(stand.api.of["a"]) == 2)
        assert 0.05 <= stand.clock.monotonic() - broke <= 1
        stand.speak("a", 4)
        for key in ("a", "b", "c", "d"):
            stand.hang_up(key)
        await stand.until_done()
    first, second = stand.audio("a")
    assert voice("a", 0, 600).startswith(first)
    assert second == voice("a", 400, 600)
    assert stand.api.of["a"][1].config == StreamConfig(Hertz(100), LevelChoice.SEGMENT)
    assert stand.spans("a") == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    assert {result["stream"] for result in stand.results("a")} == {0, 1}
    assert stand.written(LETTERS) == []


async def test_pauses_grow_while_a_stream_keeps_breaking() -> None:
    """One caller's trouble is no outage, and is tried ever more slowly."""
    stand, temper = tempered()
    temper.moods["bad"] = UNAVAILABLE
    async with stand.running():
        for second in range(120):
            for key in ("bad", "a", "b", "c", "d"):
                stand.speak(key, 1)
            await asyncio.sleep(1)
            if second == 9:
                early = len(stand.api.of["bad"])
        assert 3 <= early <= 8
        assert len(stand.api.of["bad"]) - early <= 10
        assert stand.breaker.allows
        assert stand.spans("a")[-1][1] >= 118


async def test_callers_that_are_gone_do_not_count_as_working() -> None:
    """When all that are left fail, it is an outage, however many there were before."""
    stand, temper = tempered()
    async with stand.running():
        for number in range(10):
            stand.speak(f"gone {number}", 1)
            stand.hang_up(f"gone {number}")
        await stand.until_done()
        temper.moods["last"] = UNAVAILABLE
        stand.speak("last", 1)
        await stand.until(lambda: stand.api.of["last"] and stand.api.of["last"][0].over)
        assert not stand.breaker.allows
        temper.moods.clear()
        stand.hang_up("last")
        await stand.until_done()


async def test_an_outage_opens_the_breaker_and_ends_without_a_loss() -> None:
    """All streams break at once; probes, not calls, find out when the API is back."""
    stand, temper = tempered(SessionPolicy(memory=SMALL))
    keys = [f"caller {number}" for number in range(6)]
    async with stand.running():
        for key in keys:
            stand.speak(key, 3)
        await stand.until(lambda: all(stand.spans(key) for key in keys))
        temper.moods = dict.fromkeys(keys, UNAVAILABLE)
        stand.api.script.fail("probe", *(UNAVAILABLE for _ in range(6)))
        for stream in stand.api.streams:
            stream.fail(UNAVAILABLE)
        await asyncio.sleep(5)
        opened = len(stand.api.streams)
        assert not stand.breaker.allows
        assert stand.engine.watchdog.troubles() == ["the API: UNAVAILABLE: going away"]
        for _ in range(20):
            for key in keys:
                stand.speak(key, 1)
            await asyncio.sleep(1)
        assert len(stand.api.streams) == opened
        assert stand.engine.watchdog.alive
        temper.moods = {}
        await stand.until(lambda: stand.breaker.allows)
        for key in keys:
            stand.hang_up(key)
        await stand.until_done()
    for key in keys:
        assert stand.spans(key) == [(2 * n, 2 * n + 2) for n in range(11)]
        assert stand.audio(key)[-1] == voice(key, 200, 2100)
    assert stand.written(LETTERS) == []


async def test_refused_credentials_park_sessions_and_lose_nothing() -> None:
    """Chunks are forgotten on arrival, offsets kept; a probe resumes, and all is read again."""
    stand, _ = tempered()
    stand.api.script.fail("open", UNAUTHENTICATED, UNAUTHENTICATED)
    stand.api.script.fail("probe", *(UNAUTHENTICATED for _ in range(12)))
    async with stand.running():
        for _ in range(120):
            stand.speak("a", 1)
            stand.speak("b", 1)
            await asyncio.sleep(1)
        assert stand.breaker.refused
        assert not stand.api.streams
        assert stand.metrics.values["held_bytes"] <= 400, "what came before the refusal"
        assert stand.metrics.values["unsettled_records"] == 960
        assert stand.metrics.values["partitions_left_out"] == 0
        assert stand.committed() == 0
        assert stand.replay.asked == []
        await stand.until(lambda: stand.breaker.allows)
        stand.hang_up("a")
        stand.hang_up("b")
        await stand.until_done()
    assert stand.audio("a") == [voice("a", 0, 12_000)]
    assert stand.audio("b") == [voice("b", 0, 12_000)]
    assert stand.written(LETTERS) == []


async def test_too_many_unsettled_records_stop_the_partition_loudly() -> None:
    """A parked session's offsets are bounded too; when the API accepts us, it goes on."""
    stand, _ = tempered(flow=FlowPolicy(unsettled=100))
    stand.source.limit = 10
    stand.api.script.fail("open", UNAUTHENTICATED)
    stand.api.script.fail("probe", *(UNAUTHENTICATED for _ in range(8)))
    async with stand.running():
        stand.speak(seconds=60)
        await asyncio.sleep(10)
        assert 100 <= stand.metrics.values["unsettled_records"] < 120
        assert "partition 0 waits: 100 records are unsettled" in stand.engine.watchdog.troubles()
        assert "partition waits: too many records are unsettled" in stand.log.events("error")
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 6000)]


async def test_an_ok_before_our_half_close_is_a_break() -> None:
    """It settles nothing: what it covers was not asked for yet, and is sent again."""

    def react(stream: FakeStream) -> None:
        if stream.number == 0 and len(stream.audio) >= 4:
            stream.end()
        elif stream.number:
            judge(stream)

    judge = Judge()
    stand = Stand(react)
    async with stand.running():
        stand.speak(seconds=3)
        await stand.until(lambda: len(stand.api.streams) == 2)
        assert stand.committed() == 0
        stand.hang_up()
        await stand.until_done()
    assert stand.audio()[1] == voice("call", 0, 300)
    assert "stream broke" in stand.log.events("warning")


async def test_a_stream_that_takes_nothing_for_too_long_is_given_up() -> None:
    """Its audio goes to another one."""

    def react(stream: FakeStream) -> None:
        judge(stream)
        if stream.number == 0:
            stream.stop_reading()

    judge = Judge()
    session = SessionPolicy(stream=StreamPolicy(stall_timeout=30))
    stand = Stand(react, numbers=Numbers(session=session))
    async with stand.running():
        stand.speak(seconds=5)
        await asyncio.sleep(29)
        assert len(stand.api.streams) == 1
        await stand.until(lambda: len(stand.api.streams) == 2)
        stand.hang_up()
        await stand.until_done()
    assert stand.api.streams[0].cancelled
    assert stand.audio()[1] == voice("call", 0, 500)


async def test_a_half_close_without_an_ok_settles_nothing() -> None:
    """After its time the stream counts as broken, and its audio is sent again."""

    def react(stream: FakeStream) -> None:
        if stream.number:
            judge(stream)

    judge = Judge()
    stand = Stand(react)
    async with stand.running():
        stand.speak(seconds=3)
        stand.hang_up()
        await asyncio.sleep(29)
        assert stand.committed() == 0
        assert stand.api.streams[0].half_close_seen
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 300)] * 2
    assert stand.events()[-1]["event"] == "ended"
