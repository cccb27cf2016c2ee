"""Stopping hands over what is done within its time, and leaves nothing behind."""

import asyncio

from consumer.core.policy import CommitPolicy
from consumer.model import LevelChoice
from tests.engine.props import Numbers, voice
from tests.engine.stand import CALLS, Stand, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

RARELY = CommitPolicy(interval=3600, revoke=5, shutdown=20)
DRAINING = CommitPolicy(interval=3600, revoke=5, shutdown=20, drain=True)


async def test_a_stop_publishes_and_commits_what_is_judged() -> None:
    """Streams are given up without a half-close; the next owner hears the rest again."""
    stand = Stand(numbers=Numbers(commit=RARELY))
    async with stand.running() as engine:
        stand.speak(seconds=5)
        await stand.until(lambda: len(stand.api.streams) and len(stand.audio()[0]) == 1000)
        assert stand.committed() == 0
        stand.stop()
        await engine
    assert stand.spans() == [(0, 2), (2, 4)]
    assert stand.committed() == 16
    [stream] = stand.api.streams
    assert stream.cancelled
    assert not stream.half_closed
    assert stand.source.group.members == []


async def test_a_stop_waits_for_acknowledgements() -> None:
    """What is on its way to the brokers is settled and committed, when that ends in time."""
    stand = Stand(numbers=Numbers(commit=RARELY))
    async with stand.running() as engine:
        stand.speak(seconds=3)
        stand.sink.hold()
        await asyncio.sleep(2)
        stand.stop()
        await asyncio.sleep(1)
        assert not engine.done()
        stand.sink.release()
        await engine
    assert stand.committed() == 8


async def test_a_stop_ends_in_time_when_nothing_is_acknowledged() -> None:
    """What does not fit is dropped and nothing of it is committed."""
    stand = Stand(numbers=Numbers(commit=RARELY))
    async with stand.running() as engine:
        stand.speak(seconds=3)
        stand.sink.hold()
        await asyncio.sleep(2)
        stand.stop()
        begun = stand.clock.monotonic()
        await engine
        assert stand.clock.monotonic() - begun <= 5.5
        assert stand.committed() == 0


async def test_a_draining_stop_brings_every_stream_to_its_ok() -> None:
    """All that was read is judged, published and committed, and the sessions are not over."""
    stand = Stand(numbers=Numbers(commit=DRAINING, level=LevelChoice.ALL))
    async with stand.running() as engine:
        for key in ("a", "b", "c"):
            stand.speak(key, 5)
        await asyncio.sleep(3)
        assert stand.committed() == 0
        stand.stop()
        await engine
    assert stand.done
    for key in ("a", "b", "c"):
        assert stand.audio(key) == [voice(key, 0, 500)]
        assert (0, 5) in stand.spans(key)
        assert [event["event"] for event in stand.events(key)] == ["started"]
    assert all(stream.half_close_seen for stream in stand.api.streams)


async def test_a_draining_stop_does_not_wait_for_ever() -> None:
    """An API that does not answer costs at most the time for stopping in all; the rest is kept."""

    def react(stream: FakeStream) -> None:
        if stream is stand.api.of["good"][0]:
            judge(stream)

    judge = Judge()
    stand = Stand(react, numbers=Numbers(commit=DRAINING))
    async with stand.running() as engine:
        stand.speak("good", 3)
        stand.speak("stuck", 3)
        await asyncio.sleep(3)
        stand.stop()
        begun = stand.clock.monotonic()
        await asyncio.sleep(10)
        assert stand.engine.watchdog.alive
        assert not engine.done()
        await engine
        assert stand.clock.monotonic() - begun <= 20.5
        assert stand.committed() == 12, "all of the good one, nothing of the other"
    warnings = stand.log.events("warning")
    assert "draining took too long, the rest is read again" in warnings


async def test_what_was_not_handed_over_is_heard_by_the_next() -> None:
    """A call goes on under the next owner from the committed offset on, as the call that it is."""
    first = Stand(numbers=Numbers(commit=RARELY))
    async with first.running():
        first.speak(seconds=5)
        await asyncio.sleep(2)
    committed = first.committed()
    assert committed == 16
    second = Stand(cluster=first.cluster, numbers=Numbers(commit=RARELY))
    second.spoken["call"] = 500
    async with second.running():
        second.speak(seconds=2)
        second.hang_up()
        await asyncio.sleep(10)
    assert second.done
    assert second.audio() == [voice("call", 400, 300)]
    assert [event["event"] for event in second.events()] == ["ended"]
    assert second.events()[0]["incarnation"]["offset"] == 0
    assert second.spans()[0][0] == 4.0


async def test_an_assignment_during_the_stop_does_not_keep_the_engine() -> None:
    """Partitions that the group gives while the old ones are handed over are let go at once."""
    stand = Stand(partitions=2, numbers=Numbers(commit=RARELY))
    async with stand.running() as engine:
        stand.speak(seconds=3)
        stand.sink.hold()
        await asyncio.sleep(2)
        stand.stop()
        await asyncio.sleep(1)
        assert not engine.done()
        stand.source.receive(stand.cluster.partitions(CALLS))
        assert len(stand.engine.ownership) == 2
        await asyncio.sleep(30)
        assert engine.done()
    assert len(stand.engine.ownership) == 0


async def test_a_stop_before_the_first_record_is_quick() -> None:
    """There is nothing to hand over."""
    stand = Stand()
    async with stand.running() as engine:
        stand.stop()
        await engine
        assert stand.clock.monotonic() <= 1
    assert stand.source.script.calls.count("commit") <= 1, "the claim, if it came to that"


async def test_a_stop_does_not_wait_for_the_group_to_let_us_in() -> None:
    """Whoever has not joined has nothing to hand over."""
    stand = Stand()
    stand.source.script.delay("start", 3600.0)
    async with stand.running() as engine:
        await asyncio.sleep(1)
        begun = stand.clock.monotonic()
        stand.stop()
        await engine
        assert stand.clock.monotonic() - begun < 1


async def test_a_stop_in_a_rebalance_waits_for_what_is_given_back() -> None:
    """It does not cut off the publishing that a revoke has begun."""
    stand = Stand(numbers=Numbers(commit=RARELY))
    async with stand.running() as engine:
        stand.speak(seconds=3)
        stand.sink.hold()
        await asyncio.sleep(2)
        giving_back = asyncio.create_task(stand.source.give_back())
        await asyncio.sleep(1)
        stand.stop()
        await asyncio.sleep(1)
        assert not engine.done()
        stand.sink.release()
        await giving_back
        await engine
    assert stand.committed() == 8
