"""One door: events go in with their time, actions come out in order."""

import pytest

from consumer.core.events import (
    EndMarked,
    HalfClose,
    OpenStream,
    Publish,
    Released,
    SendAudio,
    Settle,
    TimePassed,
)
from consumer.core.states import State
from consumer.errors import Fault, LocalProtocolError
from consumer.model import (
    ChunkEvent,
    EndReason,
    Hertz,
    LevelChoice,
    Milliseconds,
    SessionEnded,
    SessionStarted,
    StreamNumber,
)
from tests.core.rig import KEY, RATE, Rig


def started(rig: Rig) -> list[SessionStarted]:
    """Starts that were published."""
    return [p for p in rig.published if isinstance(p, SessionStarted)]


# A whole life.


def test_a_call_from_its_first_chunk_to_its_end() -> None:
    """Started, opened, heard, judged, half-closed, ended, settled."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(1000)
    assert [type(a) for a in rig.actions] == [Publish, OpenStream, SendAudio, SendAudio]
    rig.take_all()
    rig.result(1.0)
    assert [type(a) for a in rig.actions] == [Publish, Settle]
    rig.end()
    assert rig.actions == [HalfClose(StreamNumber(0))]
    rig.take_all()
    rig.ok()
    assert [type(a).__name__ for a in rig.actions] == ["Publish", "Settle", "Close"]
    assert rig.session.state is State.CLOSED
    ended = rig.published[-1]
    assert isinstance(ended, SessionEnded)
    assert (ended.reason, ended.summary.audio_ms) == (EndReason.MARKED, 1000)
    assert (ended.summary.judged_ms, ended.summary.streams) == (1000, 1)
    assert ended.summary.labels == {"bonafide": 1}


def test_a_session_starts_with_its_first_audio() -> None:
    """Once, with the format of that audio."""
    rig = Rig()
    rig.arrive(0, event=ChunkEvent.START)
    assert not started(rig)
    rig.arrive(100)
    rig.arrive(100, rate=Hertz(1600))
    assert [s.sample_rate for s in started(rig)] == [RATE]


def test_a_session_that_is_over_hears_nothing_more() -> None:
    """The engine forgets it at once."""
    rig = Rig()
    rig.end()
    assert rig.closed
    with pytest.raises(LocalProtocolError, match="TimePassed in state closed"):
        rig.session.handle(TimePassed(), 1.0)


def test_an_ended_session_takes_neither_audio_nor_another_end() -> None:
    """Both belong to the next incarnation."""
    rig = Rig()
    rig.arrive(100)
    rig.end()
    assert rig.session.ending
    with pytest.raises(LocalProtocolError, match="audio after the end"):
        rig.arrive(100)
    rig = Rig()
    rig.arrive(100)
    rig.end(EndReason.IDLE)
    with pytest.raises(LocalProtocolError, match="a second end"):
        rig.session.handle(EndMarked(EndReason.IDLE, Milliseconds(0)), 1.0)


def test_an_end_mark_right_after_the_start_ends_the_session_at_once() -> None:
    """No audio, no stream, no words."""
    rig = Rig()
    rig.arrive(0, event=ChunkEvent.START)
    rig.end()
    assert (rig.closed, rig.streams, rig.published) == (True, [], [])


def test_an_end_mark_right_after_the_audio_sends_it_first() -> None:
    """However little it is."""
    rig = Rig()
    rig.arrive(1)
    rig.end()
    assert [type(a) for a in rig.actions] == [SendAudio, HalfClose]


def test_a_session_that_was_idle_long_after_its_last_result_ends_with_an_ok() -> None:
    """Its stream is still open, and may have something to say."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0)
    rig.end(EndReason.IDLE)
    assert rig.actions == [HalfClose(StreamNumber(0))]
    rig.take_all()
    rig.ok()
    assert rig.closed


# Time.


def test_without_anything_to_wait_for_there_is_no_deadline() -> None:
    """Only an event can change anything."""
    assert Rig().session.deadline is None


def test_a_storm_of_looks_changes_nothing() -> None:
    """However often a session is told that time has passed."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    deadline = rig.session.deadline
    for _ in range(100):
        rig.look()
        assert rig.actions == []
    assert rig.session.deadline == deadline


def test_a_late_alarm_does_what_was_due() -> None:
    """All of it, in one step."""
    rig = Rig()
    rig.arrive(1000)
    rig.now = 500.0
    rig.look()
    assert rig.session.state is State.BACKOFF
    rig.finish()


# Succession.


def test_a_successor_waits_until_its_predecessor_is_over() -> None:
    """It takes its audio, and says nothing."""
    rig = Rig(released=False)
    rig.arrive(1000)
    rig.wait(100.0)
    assert (rig.streams, rig.published) == ([], [])
    rig.release()
    assert [type(a) for a in rig.actions[:2]] == [Publish, OpenStream]
    rig.finish()


def test_a_successor_starts_with_the_format_of_its_first_audio() -> None:
    """Whatever came while it waited."""
    rig = Rig(released=False)
    rig.arrive(100)
    rig.arrive(100, rate=Hertz(1600))
    rig.release()
    assert [s.sample_rate for s in started(rig)] == [RATE]
    rig.finish()


def test_a_successor_that_is_ended_while_it_waits_ends_after_its_release() -> None:
    """With and without audio."""
    rig = Rig(released=False)
    rig.end()
    assert not rig.closed
    rig.release()
    assert rig.closed
    rig = Rig(released=False)
    rig.arrive(100)
    rig.end()
    rig.release()
    rig.finish()


def test_only_a_session_at_rest_can_be_released() -> None:
    """Twice would start it twice."""
    rig = Rig(released=False)
    rig.arrive(100)
    rig.release()
    with pytest.raises(LocalProtocolError, match="Released in state streaming"):
        rig.session.handle(Released(), 1.0)


def test_waiting_for_a_predecessor_is_not_being_stuck() -> None:
    """It had no chance to make progress."""
    rig = Rig(released=False)
    rig.arrive(1000)
    rig.wait(5000.0)
    rig.release()
    assert rig.dead == {}
    rig.finish()


def test_a_successor_holds_nothing_back_while_the_api_is_down() -> None:
    """Its predecessor may wait for hours."""
    rig = Rig(released=False)
    rig.arrive(1000)
    assert rig.session.backlog(rig.now) == 2000
    rig.breaker.failed(KEY, Fault.SETTINGS, "refused", rig.now)
    assert rig.session.backlog(rig.now) == 0


def test_a_stream_that_is_open_holds_back_as_ever_while_the_api_is_down() -> None:
    """It may go on for hours, and should not be fed faster than it eats."""
    rig = Rig()
    rig.arrive(5000)
    rig.take_all()
    rig.arrive(5000)
    backlog = rig.session.backlog(rig.now)
    rig.breaker.failed(KEY, Fault.SETTINGS, "refused", rig.now)
    assert rig.session.backlog(rig.now) == backlog > 0


def test_a_session_knows_whether_another_is_before_it() -> None:
    """Until then it opens no stream, and has no checkpoint of its own."""
    rig = Rig(released=False)
    assert not rig.session.released
    rig.release()
    assert rig.session.released
