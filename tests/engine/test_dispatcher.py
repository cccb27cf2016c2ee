"""Records find their session: birth, succession, ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumer.codec.records import decode_chunk
from consumer.core.policy import IdlePolicy
from consumer.engine.dispatcher import Dispatcher
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Tenure
from consumer.engine.writers import PatientWriter
from consumer.model import Offset, Partition, Record
from tests.engine.props import Numbers, React
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time

pytestmark = virtual_time

PLACE = Partition(CALLS, 0)


class Routing:
    """A dispatcher at work on one partition."""

    def __init__(self, stand: Stand, tenure: Tenure, dispatcher: Dispatcher) -> None:
        self.stand = stand
        self.tenure = tenure
        self.dispatcher = dispatcher

    def route(self, *records: Record) -> None:
        """These records are read."""
        for record in records:
            chunk = decode_chunk(record, self.stand.defaults)
            self.dispatcher.route(record, chunk, self.stand.clock.wall_ms())

    def speak(self, key: str = "call", seconds: float = 1.0, **options: Any) -> None:
        """A caller speaks and is heard."""
        self.route(*self.stand.speak(key, seconds, **options))

    def hang_up(self, key: str = "call", timestamp: int | None = None) -> Record:
        """A caller hangs up and that is read."""
        record = self.stand.hang_up(key, timestamp=timestamp)
        self.route(record)
        return record

    def kinds(self, key: str = "call") -> list[str]:
        """The session events so far."""
        return [event["event"] for event in self.stand.events(key)]


@asynccontextmanager
async def routing(
    react: React | None = None, *, position: int = 0, committed: int | None = None
) -> AsyncIterator[Routing]:
    """A dispatcher of a partition that was taken at this position."""
    stand = Stand(react, numbers=Numbers(idle=IdlePolicy(timeout=60)))
    stand.cluster.skip(PLACE, position)
    async with stand.kitted() as kit:
        tenure = Tenure(PLACE, kit, PatientWriter(kit, "calls/0"))
        replayer = Replayer(kit)
        kit.spawn(tenure.outlet.run(), "outlet calls/0")
        tenure.begin(Offset(position), None if committed is None else Offset(committed))
        tenure.continued = committed is not None
        dispatcher = Dispatcher(tenure, kit, replayer)
        yield Routing(stand, tenure, dispatcher)
        dispatcher.drop()


async def test_each_key_has_a_session_of_its_own() -> None:
    """Two callers have two streams, each with its own audio."""
    async with routing() as r:
        r.speak("a")
        r.speak("b")
        r.speak("a")
        await asyncio.sleep(1)
        assert len(r.dispatcher) == 2
        assert [len(audio) for audio in r.stand.audio("a") + r.stand.audio("b")] == [400, 200]
        assert r.stand.metrics.values["sessions_started"] == 2


async def test_an_ended_session_is_forgotten_and_its_offsets_are_settled() -> None:
    """When the OK has come, nothing is left of it in memory."""
    async with routing() as r:
        r.speak()
        r.hang_up()
        await asyncio.sleep(1)
        assert len(r.dispatcher) == 0
        assert r.tenure.offsets.watermark == r.stand.end()
        assert r.tenure.offsets.unsettled == 0
        assert r.kinds() == ["started", "ended"]


async def test_audio_after_an_end_mark_waits_for_the_end() -> None:
    """The next incarnation opens no stream and says nothing before the first is over."""
    async with routing(lambda _: None) as r:
        r.speak()
        r.hang_up()
        r.speak()
        await asyncio.sleep(10)
        assert len(r.dispatcher) == 2
        [first] = r.stand.api.streams
        assert first.half_close_seen
        assert r.kinds() == ["started"]
        first.end()
        await asyncio.sleep(1)
        assert len(r.dispatcher) == 1
        assert len(r.stand.api.streams) == 2
        assert r.kinds() == ["started", "ended", "started"]


async def test_incarnations_are_named_by_their_first_record() -> None:
    """Three calls under one key are three incarnations, in order on the output."""
    async with routing() as r:
        firsts = []
        for _ in range(3):
            firsts.append(r.stand.end())
            r.speak(seconds=4)
            r.hang_up()
        await asyncio.sleep(5)
        events = r.stand.events("call")
        assert [e["incarnation"]["offset"] for e in events] == [n for n in firsts for _ in (0, 1)]
        places = [result["incarnation"]["offset"] for result in r.stand.results("call")]
        assert places == sorted(places)
        assert set(places) == set(firsts)


async def test_an_end_mark_for_nobody_settles_and_opens_nothing() -> None:
    """It is no session, and no reason to hold the watermark."""
    async with routing() as r:
        r.hang_up()
        await settle_down()
        assert len(r.dispatcher) == 0
        assert r.tenure.offsets.watermark == 1
        assert r.kinds() == []
        assert not r.stand.api.streams


async def test_a_second_end_mark_is_one_for_nobody() -> None:
    """While the session is ending it takes no other end."""
    async with routing(lambda _: None) as r:
        r.speak()
        r.hang_up()
        second = r.hang_up()
        await settle_down()
        r.stand.api.streams[0].end()
        await settle_down(40)
        assert r.tenure.offsets.watermark == second.offset + 1
        assert r.kinds() == ["started", "ended"]


async def test_an_end_mark_older_than_the_call_is_ignored() -> None:
    """A mark of an earlier call that comes late does not end the one that lives."""
    async with routing() as r:
        r.speak()
        stale = r.hang_up(timestamp=r.stand.clock.wall_ms() - 1000)
        r.stand.spoken["call"] = 100
        r.speak()
        await asyncio.sleep(5)
        assert r.kinds() == ["started"]
        assert len(r.stand.api.streams) == 1
        r.hang_up()
        await asyncio.sleep(1)
        assert r.kinds() == ["started", "ended"]
        assert r.tenure.offsets.watermark > stale.offset


async def test_an_end_mark_may_carry_the_last_audio() -> None:
    """The audio is heard before the session ends."""
    async with routing() as r:
        r.speak(seconds=0.25)
        r.speak(seconds=0.25, headers=[("event", b"end")])
        await asyncio.sleep(1)
        assert [len(audio) for audio in r.stand.audio()] == [100]
        assert r.kinds() == ["started", "ended"]


@pytest.mark.parametrize(
    ("committed", "headers", "resumed"),
    [
        (None, [], False),
        (500, [], True),
        (500, [("event", b"start")], False),
        (500, [("sequence", b"0")], False),
        (500, [("sequence", b"17")], True),
        (None, [("sequence", b"17")], False),
    ],
)
async def test_a_call_that_may_have_begun_before_is_resumed(
    committed: int | None, headers: list[tuple[str, bytes]], resumed: bool
) -> None:
    """It is, when the log was entered in its middle and the record does not say otherwise."""
    async with routing(position=500, committed=committed) as r:
        r.speak(seconds=0.25, headers=headers)
        await settle_down()
        [started] = r.stand.events()
        assert started["resumed"] is resumed


async def test_a_call_that_begins_well_after_the_entry_is_new() -> None:
    """A call that went on would have sent within the idle timeout."""
    async with routing(position=500, committed=500) as r:
        r.speak("old")
        await asyncio.sleep(59)
        r.speak("maybe")
        await asyncio.sleep(2)
        r.speak("new")
        await settle_down()
        resumed = {event["session"]: event["resumed"] for event in r.stand.events()}
        assert resumed == {"old": True, "maybe": True, "new": False}


async def test_records_of_one_key_that_lie_far_apart_are_two_calls() -> None:
    """By their own time stamps, so that a backlog is cut where the live calls would have been."""
    async with routing() as r:
        now = r.stand.clock.wall_ms()
        r.speak(timestamp=now - 3_600_000)
        r.speak(timestamp=now - 3_541_000)
        r.speak(timestamp=now - 3_480_000)
        await asyncio.sleep(5)
        assert r.kinds() == ["started", "ended", "started"]
        assert r.stand.events()[1]["reason"] == "idle"
        assert [len(audio) for audio in r.stand.audio()] == [400, 200]


async def test_a_session_ends_when_topic_time_has_passed_it() -> None:
    """While behind, what others say tells how late it is."""
    async with routing() as r:
        begin = r.stand.clock.wall_ms() - 3_600_000
        r.speak("quiet", timestamp=begin)
        r.speak("lively", timestamp=begin)
        for seconds in (30, 59):
            r.speak("lively", timestamp=begin + seconds * 1000)
            r.dispatcher.end_idle()
        await asyncio.sleep(1)
        assert r.kinds("quiet") == ["started"]
        r.speak("lively", timestamp=begin + 60_000)
        r.dispatcher.end_idle()
        await asyncio.sleep(1)
        assert r.kinds("quiet") == ["started", "ended"]
        assert r.kinds("lively") == ["started"]


async def test_a_record_without_a_time_stamp_counts_as_written_now() -> None:
    """Else it would look half a century old, and end the call."""
    async with routing() as r:
        r.speak()
        r.speak(timestamp=-1)
        r.speak()
        await asyncio.sleep(1)
        assert r.kinds() == ["started"]
        [worker] = r.dispatcher
        assert worker.began <= worker.timestamp <= r.stand.clock.wall_ms()


async def test_dropped_sessions_do_nothing_any_more() -> None:
    """When the partition is given back their streams are given up, and nothing is published."""
    async with routing(lambda _: None) as r:
        r.speak("a", 10)
        r.speak("b", 10)
        await asyncio.sleep(1)
        before = len(r.stand.sink.sent)
        r.dispatcher.drop()
        await asyncio.sleep(600)
        assert all(stream.cancelled and not stream.half_closed for stream in r.stand.api.streams)
        assert len(r.dispatcher) == 0
        assert not r.dispatcher.streaming
        assert len(r.stand.sink.sent) == before
        assert r.tenure.offsets.watermark == 0


async def test_draining_brings_every_stream_to_its_ok() -> None:
    """What was heard is settled, the sessions are not over, and no stream is opened any more."""
    async with routing() as r:
        r.speak("a", 3)
        r.speak("b", 3)
        await asyncio.sleep(1)
        assert r.dispatcher.streaming
        r.dispatcher.drain()
        await asyncio.sleep(3)
        assert not r.dispatcher.streaming
        assert r.tenure.offsets.watermark == r.stand.end()
        assert r.kinds("a") == r.kinds("b") == ["started"]
        r.speak("a")
        await asyncio.sleep(3)
        assert len(r.stand.api.of["a"]) == 1
