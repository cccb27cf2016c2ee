"""One door: events go in with their time, actions come out in order."""

import pytest

from consumer.core.events import (
    AudioTaken,
    EndMarked,
    HalfClose,
    OpenStream,
    Publish,
    Released,
    SendAudio,
    Settle,
    StreamEnded,
    TimePassed,
)
from consumer.core.policy import SessionPolicy, StreamPolicy
from consumer.core.states import State
from consumer.errors import Fault, LocalProtocolError
from consumer.model import (
    ChunkEvent,
    EndReason,
    Frames,
    Hertz,
    Level,
    LevelChoice,
    Milliseconds,
    SessionEnded,
    SessionKey,
    SessionStarted,
    StreamNumber,
)
from tests.core.rig import KEY, RATE, Rig


def spans(rig: Rig, level: Level) -> list[tuple[int, int, bool]]:
    """What was published at a level, in milliseconds of the call."""
    return [(r.start_ms, r.end_ms, r.clamped) for r in rig.results if r.level is level]


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


# Results.


def test_a_result_settles_what_it_covers() -> None:
    """And not the record after it."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    second = rig.arrive(1000)
    rig.take_all()
    rig.result(1.5)
    assert rig.settled_below == second


def test_segments_settle_only_where_they_govern() -> None:
    """At level `all` they are published and settle nothing."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(2000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.wait(5.0)
    assert (len(rig.results), rig.settled_below) == (1, 0)
    rig = Rig(level=LevelChoice.SEGMENT)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    assert rig.settled_below == offset + 1


def test_at_level_all_an_utterance_settles_a_moment_later() -> None:
    """The segment that closes it may come after it."""
    rig = Rig(level=LevelChoice.ALL)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    assert rig.settled_below == 0
    assert rig.session.deadline == pytest.approx(1.0)
    rig.wait(1.0)
    assert rig.settled_below == offset + 1


def test_at_level_all_an_utterance_settles_with_the_next_message() -> None:
    """Which is published before."""
    rig = Rig(level=LevelChoice.ALL)
    offset = rig.arrive(2000)
    rig.take_all()
    rig.result(2.0)
    rig.result(2.0, Level.SEGMENT)
    assert [type(a) for a in rig.actions] == [Publish, Settle]
    assert rig.settled_below == offset + 1


def test_a_break_before_the_closing_segment_loses_neither() -> None:
    """What was held is not settled; the next stream hears it again and repeats nothing."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(4000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(4.0)
    rig.fail()
    assert rig.settled_below == 0
    rig.wait(5.0)
    assert rig.open_stream.base == 0
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(4.0)
    rig.result(4.0, Level.SEGMENT)
    assert spans(rig, Level.SEGMENT) == [(0, 2000, False), (2000, 4000, False)]
    assert spans(rig, Level.UTTERANCE) == [(0, 4000, False)]
    assert rig.session.tally.dropped == 2
    rig.finish()


def test_results_across_a_break_never_overlap() -> None:
    """A segment that straddles is dropped, an utterance is shortened."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(6000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.result(3.0, Level.UTTERANCE)
    rig.fail()
    rig.wait(5.0)
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    rig.result(3.0, Level.SEGMENT)
    rig.result(5.0, Level.SEGMENT)
    rig.result(5.0, Level.UTTERANCE)
    assert spans(rig, Level.SEGMENT) == [(0, 2000, False), (3000, 5000, False)]
    assert spans(rig, Level.UTTERANCE) == [(0, 3000, False), (3000, 5000, True)]
    rig.finish()


def test_results_after_a_roll_over_go_on_in_call_time() -> None:
    """The second stream's clock starts anew, the call's does not."""
    rig = Rig(SessionPolicy(stream=StreamPolicy(horizon=2.0)), LevelChoice.UTTERANCE)
    for _ in range(20):
        rig.wait(0.25)
        rig.arrive(250)
        rig.take_all()
    base = rig.open_stream.base + rig.open_stream.heard
    rig.ok()
    rig.arrive(2000)
    rig.take_all()
    rig.result(1.0)
    assert spans(rig, Level.UTTERANCE) == [(base, base + 1000, False)]
    rig.finish()


def test_only_the_governing_level_counts_as_judged() -> None:
    """A segment may be reported whose utterance never comes."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(4000)
    rig.take_all()
    rig.result(4.0, Level.SEGMENT)
    rig.result(3.0, Level.UTTERANCE)
    assert rig.session.tally.judged_ms == 3000


def test_a_result_beyond_what_was_sent_is_cut_there() -> None:
    """And judges no more than what the stream has taken."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(500)
    rig.take()
    second = rig.arrive(500)
    rig.result(99.0)
    assert spans(rig, Level.UTTERANCE) == [(0, 1000, False)]
    assert rig.settled_below == second
    rig.finish()


def test_a_result_of_the_other_level_only_settles_nothing() -> None:
    """An API that sends what nobody asked for does no harm."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(2000)
    rig.take_all()
    rig.result(2.0, Level.UTTERANCE)
    assert (len(rig.results), rig.settled_below) == (1, 0)
    rig.finish()


def test_all_results_of_a_message_go_out_in_its_order() -> None:
    """Several tasks share a span."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(2000)
    rig.take_all()
    rig.message(rig.open_stream.found(2.0, task="age"), rig.open_stream.found(2.0, task="emotion"))
    assert [r.task for r in rig.results] == ["age", "emotion"]
    assert rig.session.tally.judged_ms == 2000


# Streams that end.


def test_an_ok_after_our_half_close_settles_all_that_was_sent() -> None:
    """Silence gets no result."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    rig.take_all()
    rig.ok()
    assert (rig.closed, rig.results) == (True, [])


def test_an_ok_leaves_nothing_to_wait_for() -> None:
    """Not even what was held for a moment."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.drain()
    rig.take_all()
    rig.result(1.0)
    rig.ok()
    assert (rig.session.state, rig.session.deadline) == (State.IDLE, None)


@pytest.mark.parametrize("sign", ["result", "ok"])
def test_a_sign_of_life_from_the_api_counts_for_all(sign: str) -> None:
    """The failures of others before it open no breaker."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    rig.take_all()
    for other in "ab":
        rig.breaker.failed(SessionKey(other), Fault.TRANSIENT, "UNAVAILABLE", rig.now)
    if sign == "result":
        rig.result(1.0)
    else:
        rig.ok()
    rig.breaker.failed(SessionKey("c"), Fault.TRANSIENT, "UNAVAILABLE", rig.now)
    assert rig.breaker.allows


def test_an_ok_before_our_half_close_settles_nothing() -> None:
    """It is a break: who knows what was heard."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.ok()
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    assert rig.session.tally.breaks == 1
    rig.finish()


def test_an_ok_while_our_half_close_waits_to_be_written_settles_nothing() -> None:
    """The API can't have meant it as an answer."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    assert rig.session.state is State.CLOSING
    rig.ok()
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    rig.finish()


def test_a_claim_of_half_close_that_we_never_asked_for_settles_nothing() -> None:
    """Whatever is said of the stream."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.oracle.broke(Fault.TRANSIENT, rig.now)
    rig.tell(StreamEnded(StreamNumber(0), half_closed=True))
    assert (rig.session.state, rig.settled_below) == (State.BACKOFF, 0)
    rig.finish()


def test_after_a_break_the_next_stream_carries_all_that_is_not_judged() -> None:
    """Config first, then from the first unjudged frame on."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(3000)
    rig.take_all()
    rig.result(1.25)
    rig.fail()
    rig.wait(5.0)
    rig.take_all()
    assert rig.open_stream.base == 1250
    assert len(rig.open_stream.given) == 2 * 1750
    rig.result(1.0)
    assert spans(rig, Level.UTTERANCE)[-1] == (1250, 2250, False)
    rig.finish()


def test_news_of_an_older_stream_changes_nothing() -> None:
    """A stream is meant by its number."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    assert rig.session.streaming
    rig.fail()
    assert not rig.session.streaming
    rig.wait(5.0)
    rig.tell(AudioTaken(StreamNumber(0), Frames(1000)))
    rig.tell(StreamEnded(StreamNumber(0), half_closed=True))
    rig.result(1.0)
    assert (rig.session.state, rig.settled_below) == (State.STREAMING, 0)
    assert rig.open_stream.number == 1
    rig.finish()


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


def test_an_ok_that_overtakes_our_half_close_is_a_break() -> None:
    """The OK came while the half-close waited to be written, so it says nothing of the audio."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(1000)
    rig.end()
    before = rig.session.state
    rig.ok()
    assert (before, rig.session.state) == (State.CLOSING, State.BACKOFF)
    assert not any(isinstance(action, Settle) for action in rig.actions)
    rig.finish()
