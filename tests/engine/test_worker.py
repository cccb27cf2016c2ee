"""One session at work."""

import asyncio

import pytest

from consumer.core.events import Action, Event
from consumer.core.policy import MemoryPolicy, SessionPolicy, StreamPolicy
from consumer.core.states import State
from consumer.errors import Fault, LocalProtocolError, StreamFailed
from consumer.model import (
    EndReason,
)
from tests.engine.at_work import working
from tests.engine.stand import (
    CALLS,
    LETTERS,
    RESULTS,
    SESSIONS,
    settle_down,
    virtual_time,
)

pytestmark = virtual_time


async def test_results_are_published_and_their_audio_settles() -> None:
    """The session's start goes first, and every settle follows the result that it rests on."""
    async with working() as w:
        w.hear(4.5)
        await asyncio.sleep(1)
        assert w.home.told == [SESSIONS, RESULTS, 8, RESULTS, 16]


async def test_small_chunks_go_out_after_the_linger_every_time() -> None:
    """The timer is set again after every step, so the second small chunk does not wait for ever."""
    async with working() as w:
        for spoken in (1, 2, 3):
            w.hear(0.1, chunk=0.1)
            await asyncio.sleep(0.29)
            assert len(w.stand.api.streams[0].audio) == spoken - 1
            await asyncio.sleep(0.02)
            assert len(w.stand.api.streams[0].audio) == spoken


async def test_a_deadline_that_comes_nearer_moves_the_timer() -> None:
    """An alarm set for later is set anew for the nearer one."""
    session = SessionPolicy(stream=StreamPolicy(close_timeout=5.0))
    async with working(lambda _: None, session) as w:
        w.hear(1.0)
        await asyncio.sleep(0.1)
        w.worker.end(EndReason.MARKED, w.worker.timestamp)
        await asyncio.sleep(4.8)
        assert w.worker.session.state is State.CLOSING
        assert not w.stand.api.streams[0].cancelled
        await asyncio.sleep(0.4)
        assert w.stand.api.streams[0].cancelled


async def test_the_end_is_told_after_the_last_settle() -> None:
    """When the OK has come, everything settles, and then the session is over."""
    async with working() as w:
        w.hear(1.0)
        w.worker.end(EndReason.MARKED, w.worker.timestamp)
        await asyncio.sleep(1)
        assert w.home.told == [SESSIONS, SESSIONS, 4]
        assert w.over == [w.worker]
        assert w.stand.metrics.values["sessions_ended"] == 1


async def test_a_broken_stream_is_said_with_its_code() -> None:
    """A person can see whose stream broke and why."""
    async with working() as w:
        w.hear(1.0)
        await settle_down()
        w.stand.api.streams[0].fail(StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away"))
        await settle_down()
        [line] = w.stand.log.lines
        assert (line.level, line.event) == ("warning", "stream broke")
        assert line.fields["session"] == "call"
        assert line.fields["code"] == "UNAVAILABLE"
        assert w.stand.metrics.series["streams_broken"] == {("UNAVAILABLE",): 1}
        [(lived, labels)] = w.stand.metrics.observed["stream_seconds"]
        assert lived == pytest.approx(0, abs=0.01)
        assert labels == ("UNAVAILABLE",)


async def test_a_dropped_session_does_nothing_any_more() -> None:
    """Its stream is given up without a half-close, its timer is gone, its bytes are given back."""
    async with working(lambda _: None) as w:
        w.hear(10)
        await settle_down()
        assert w.home.held > 0
        w.worker.drop()
        told = len(w.home.out)
        await asyncio.sleep(600)
        [stream] = w.stand.api.streams
        assert stream.cancelled
        assert not stream.half_closed
        assert len(w.home.out) == told
        assert (w.home.backlog, w.home.held) == (0, 0)
        w.worker.poke()
        w.worker.end(EndReason.IDLE, w.worker.timestamp)
        assert not w.worker.session.ending


async def test_forgotten_audio_is_read_again_and_sent_in_its_place() -> None:
    """What did not fit is fetched when its turn comes; the API hears the call byte for byte."""
    session = SessionPolicy(memory=MemoryPolicy(held=400, fetch=200))
    async with working(session=session) as w:
        w.hear(30)
        await asyncio.sleep(30)
        [heard] = w.stand.audio()
        records = w.stand.cluster.contents(w.home.partition)
        assert heard == b"".join(record.value or b"" for record in records)
        assert w.stand.replay.asked
        w.worker.report()
        assert w.stand.metrics.values["audio_replayed_bytes"] > 0


async def test_a_record_that_another_took_the_place_of_counts_as_gone() -> None:
    """A topic that was made anew has other records at the old offsets, not this call's."""
    session = SessionPolicy(memory=MemoryPolicy(held=100, fetch=50))
    async with working(lambda _: None, session) as w:
        w.stand.speak("other", 1.0)
        others = w.stand.cluster.logs[w.home.partition].records
        w.stand.cluster.create(CALLS)
        w.hear(1.0)
        w.stand.cluster.logs[w.home.partition].records = others
        await settle_down()
        w.stand.api.streams[0].fail(StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away"))
        await asyncio.sleep(5)
        assert len(w.home.records(LETTERS)) > 0
        said = [dict(letter.headers) for letter in w.home.records(LETTERS)]
        assert {header["dlq-reason"] for header in said} == {b"expired"}


async def test_counts_are_reported_once() -> None:
    """A second report adds only what has happened since."""
    async with working() as w:
        w.worker.session.tally.repeats = 3
        w.worker.report()
        w.worker.report()
        assert w.stand.metrics.values["chunks_repeated"] == 3
        w.worker.session.tally.repeats = 4
        w.worker.drop()
        assert w.stand.metrics.values["chunks_repeated"] == 4


async def test_a_stream_that_takes_nothing_weighs_nothing_after_a_moment() -> None:
    """Its audio holds the partition back only as long as it may still move."""
    async with working() as w:
        stream_waits = w.stand.api.script.hold("open")
        w.hear(10)
        await settle_down()
        assert w.home.backlog > 0
        await asyncio.sleep(2.5)
        assert w.home.backlog == 0
        stream_waits.set()


async def test_a_session_with_enough_to_catch_up_with_is_full_for_a_moment() -> None:
    """Then its stream counts as slow, and what comes is read again later."""
    session = SessionPolicy(memory=MemoryPolicy(held=2000, fetch=500))
    async with working(session=session) as w:
        stream_waits = w.stand.api.script.hold("open")
        w.hear(5)
        assert w.home.full == 1
        await asyncio.sleep(2.1)
        assert w.home.full == 0
        stream_waits.set()


async def test_a_dropped_session_is_not_full() -> None:
    """Whoever goes on with its partition is not held back by it."""
    session = SessionPolicy(memory=MemoryPolicy(held=2000, fetch=500))
    async with working(session=session) as w:
        stream_waits = w.stand.api.script.hold("open")
        w.hear(5)
        w.worker.drop()
        assert w.home.full == 0
        stream_waits.set()


async def test_a_bug_that_shows_when_time_passes_ends_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A timer has no task that could carry the error, and it is not lost all the same."""

    async def work() -> None:
        async with working() as w:
            w.hear(0.1, chunk=0.1)
            await settle_down()
            monkeypatch.setattr(w.worker.session, "handle", fail)
            await asyncio.sleep(1)
            pytest.fail("the engine should have ended")

    def fail(event: Event, now: float) -> list[Action]:
        raise LocalProtocolError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        await work()
    assert caught.group_contains(LocalProtocolError, match="a bug")


async def test_an_alarm_that_rings_early_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops ring up to their resolution early; where the clock stands still, time must pass."""
    async with working() as w:
        clock, pokes = w.stand.clock, 0
        on_time, poke = clock.monotonic, w.worker.poke

        def count() -> None:
            nonlocal pokes
            pokes += 1
            assert pokes < 100, "it spins"
            poke()

        monkeypatch.setattr(clock, "monotonic", lambda: on_time() - 5e-10)
        monkeypatch.setattr(w.worker, "poke", count)
        w.hear(0.1, chunk=0.1)
        await asyncio.sleep(1)
        assert len(w.stand.api.streams[0].audio) == 1
        assert pokes > 0
