"""Audio goes out config first, in whole messages, on one stream at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.events import Cancel, HalfClose, OpenStream, SendAudio
from consumer.core.intake import Intake
from consumer.core.judgement import Judgement
from consumer.core.outflow import Outflow
from consumer.core.policy import CoalescePolicy, MemoryPolicy, SessionPolicy, StreamPolicy
from consumer.core.states import State
from consumer.core.tally import Tally
from consumer.errors import LocalProtocolError
from consumer.model import Hertz, LevelChoice, StreamConfig
from tests.core.call import PlainDecoder
from tests.core.rig import RATE, Rig


def sizes(rig: Rig) -> list[int]:
    """Frames of the messages that wait for the stream to take them."""
    return [len(m) // 2 for m in rig.open_stream.queue if m is not None]


def talk(rig: Rig, seconds: float) -> None:
    """Audio comes in real time and is taken at once."""
    for _ in range(int(seconds * 4)):
        rig.wait(0.25)
        rig.arrive(250)
        rig.take_all()


def rolling(**numbers: float) -> Rig:
    """A session with these numbers of its streams."""
    return Rig(SessionPolicy(stream=StreamPolicy(**numbers)))


def test_the_config_goes_before_any_audio() -> None:
    """The first chunk opens the stream, then it is sent."""
    rig = Rig()
    rig.arrive(250)
    kinds = [type(action) for action in rig.actions]
    assert kinds.index(OpenStream) < kinds.index(SendAudio)
    assert rig.open_stream.config == StreamConfig(RATE, LevelChoice.ALL)


def test_small_frames_are_joined() -> None:
    """Twenty milliseconds wait until they are a quarter of a second."""
    rig = Rig()
    for _ in range(13):
        rig.arrive(20)
    assert sizes(rig) == [260]


def test_small_frames_wait_no_longer_than_the_linger() -> None:
    """Then they go as they are."""
    rig = Rig()
    rig.wait(50.0)
    rig.arrive(20)
    assert sizes(rig) == []
    assert rig.session.deadline == pytest.approx(50.3)
    rig.wait(0.3)
    assert sizes(rig) == [20]


def test_the_linger_counts_from_the_oldest_part() -> None:
    """A steady trickle does not push it on."""
    rig = Rig()
    rig.arrive(20)
    rig.wait(0.2)
    rig.arrive(20)
    rig.wait(0.1)
    assert sizes(rig) == [40]


def test_what_is_left_over_waits_its_own_linger() -> None:
    """It may be joined by what comes next, however long the part before it had to wait."""
    rig = Rig()
    rig.arrive(2520)
    rig.wait(1.0)
    rig.take()
    assert sizes(rig) == [500, 500, 500, 500]
    rig.take_all()
    assert sizes(rig) == []
    rig.wait(0.3)
    assert sizes(rig) == [20]


def test_large_chunks_are_split() -> None:
    """Into messages of half a second."""
    rig = Rig()
    rig.arrive(1300)
    assert sizes(rig) == [500, 500, 300]


def test_no_more_is_handed_over_than_a_window() -> None:
    """The rest waits until the stream takes some."""
    rig = Rig()
    rig.arrive(5000)
    assert sum(sizes(rig)) == 2000
    rig.take()
    assert sum(sizes(rig)) == 2000


def test_a_very_low_rate_goes_out_all_the_same() -> None:
    """The window is one frame at least."""
    rig = Rig(SessionPolicy(coalesce=CoalescePolicy(target=0.1, behind=0.2, in_flight=0.5)))
    rig.arrive(4, rate=Hertz(1))
    rig.finish()
    assert len(rig.streams[0].given) == 8


def test_another_rate_opens_another_stream() -> None:
    """The first one is half-closed after its last frame, and the second waits for its OK."""
    rig = Rig()
    rig.arrive(300)
    rig.arrive(300, rate=Hertz(1600))
    assert rig.open_stream.half_close_asked
    rig.take_all()
    rig.ok()
    assert rig.open_stream.config.sample_rate == 1600
    assert rig.open_stream.base == 300
    rig.finish()


def test_another_level_opens_another_stream() -> None:
    """The level is part of the config."""
    rig = Rig()
    rig.arrive(300)
    rig.arrive(300, level=LevelChoice.SEGMENT)
    rig.take_all()
    rig.ok()
    assert rig.open_stream.config.level is LevelChoice.SEGMENT
    rig.finish()


def test_the_same_format_goes_on_on_the_same_stream() -> None:
    """Nothing is opened without need."""
    rig = Rig()
    talk(rig, 20.0)
    assert len(rig.streams) == 1


def test_a_format_that_changes_while_nothing_is_left_to_send_gets_its_own_stream() -> None:
    """A break after all was judged must not leave a stream of the old format in the way."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0)
    rig.wait(1.0)
    rig.fail()
    rig.wait(5.0)
    assert rig.session.state is State.IDLE
    rig.arrive(1000, rate=Hertz(1600))
    assert rig.open_stream.config.sample_rate == 1600
    rig.finish()


def test_times_stay_right_for_results_that_come_after_a_change_of_format_was_judged() -> None:
    """Several tasks may report the same span one after the other."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(500)
    rig.arrive(1600, rate=Hertz(1600))
    rig.take_all()
    rig.result(0.5)
    rig.result(0.5, start=0.25, task="age")
    assert [(r.start_ms, r.end_ms) for r in rig.results] == [(0, 500), (250, 500)]
    rig.ok()
    rig.take_all()
    rig.result(1.0)
    assert rig.results[-1].end_ms == 1500


def test_a_call_that_changes_its_format_for_ever_costs_no_memory_for_it() -> None:
    """Only the formats of what is unjudged are kept."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    for number in range(50):
        rig.arrive(500, rate=Hertz(1000 + 100 * (number % 2)))
        rig.take_all()
        if rig.open_stream.half_closed:
            rig.ok()
            rig.take_all()
    assert len(rig.session._intake.timeline._runs) <= 3
    rig.finish()


# Waiting.


def test_a_stream_that_takes_nothing_is_given_up() -> None:
    """After the stall timeout, and its audio goes to the next."""
    rig = rolling(stall_timeout=30.0)
    rig.arrive(300)
    rig.wait(29.9)
    assert rig.stream is not None
    rig.wait(0.2)
    assert rig.did(Cancel)
    assert rig.session.state is State.BACKOFF
    rig.finish()


def test_a_stream_whose_ok_does_not_come_is_given_up() -> None:
    """After the close timeout; what was sent is not settled by that."""
    rig = rolling(close_timeout=30.0)
    rig.arrive(300)
    rig.take_all()
    rig.end()
    assert rig.did(HalfClose)
    rig.take_all()
    rig.wait(30.0)
    assert rig.did(Cancel)
    assert rig.settled_below == 0
    rig.finish()


def test_only_what_a_working_stream_has_yet_to_take_holds_a_partition_back() -> None:
    """After a moment without progress it does not any more."""
    rig = rolling(stall_grace=2.0)
    rig.now = 100.0
    rig.arrive(5000)
    assert rig.session.backlog(rig.now) == 2 * 3000
    rig.take_all()
    assert rig.session.backlog(rig.now) == 0
    rig.now = 110.0
    rig.arrive(5000)
    assert rig.session.deadline == 112.0
    rig.wait(1.9)
    assert rig.session.backlog(rig.now) == 2 * 3000
    rig.wait(0.1)
    assert rig.session.backlog(rig.now) == 0


@given(st.floats(0, 1e6), st.floats(0.1, 10.0))
def test_when_the_alarm_for_a_slow_stream_rings_it_counts_as_slow(at: float, grace: float) -> None:
    """Else it would hold its partition until something else happens."""
    rig = rolling(stall_grace=grace)
    rig.now = at
    rig.arrive(5000)
    deadline = rig.session.deadline
    assert deadline is not None
    assert rig.session.backlog(deadline) == 0


def filling(grace: float = 2.0) -> Rig:
    """A session that is full when 2000 frames wait behind a window of 2000, until 1000 do."""
    memory, stream = MemoryPolicy(held=16_000, fetch=500), StreamPolicy(stall_grace=grace)
    return Rig(SessionPolicy(memory=memory, stream=stream))


def test_without_a_stream_nothing_is_full() -> None:
    """Its audio is not sent soon, so nobody waits for that."""
    rig = filling()
    assert not rig.session.full(rig.now)


def test_a_working_stream_with_much_before_it_is_full() -> None:
    """From a quarter of what may be held, until it is down to an eighth."""
    rig = filling()
    rig.arrive(3999)
    assert not rig.session.full(rig.now)
    rig.arrive(1)
    assert rig.session.full(rig.now)
    for waiting in (1500, 1000):
        rig.take()
        assert rig.session.backlog(rig.now) == 2 * waiting
        assert rig.session.full(rig.now)
    rig.take()
    assert not rig.session.full(rig.now)
    rig.arrive(1400)
    assert not rig.session.full(rig.now)
    rig.arrive(100)
    assert rig.session.full(rig.now)


def test_a_stream_that_stays_behind_is_full_for_a_moment_only() -> None:
    """Else one slow stream would hold back all sessions of its partition."""
    rig = filling(grace=2.0)
    rig.now = 100.0
    rig.arrive(4500)
    assert rig.session.full(rig.now)
    for _ in range(3):
        rig.wait(0.5)
        rig.take()
        assert rig.session.deadline == 102.0
        rig.arrive(500)
        assert rig.session.full(rig.now)
    rig.wait(0.5)
    rig.take()
    rig.arrive(500)
    assert not rig.session.full(rig.now)
    rig.take_all()
    assert not rig.session.full(rig.now)
    rig.arrive(4500)
    assert rig.session.full(rig.now)


def test_small_audio_lingers_until_it_is_sent() -> None:
    """Its deadline is near; that of audio on its way is not."""
    rig = Rig()
    rig.arrive(100)
    assert rig.session.lingers
    rig.wait(0.3)
    assert not rig.session.lingers


def test_a_stream_that_waits_for_audio_is_not_slow() -> None:
    """However long it has not taken any."""
    rig = Rig()
    rig.arrive(500)
    rig.take_all()
    rig.wait(20.0)
    rig.arrive(100)
    assert rig.session.backlog(rig.now) == 200


def test_without_a_stream_there_is_none_to_ask_for() -> None:
    """Asking for it is a bug of the caller."""
    policy = SessionPolicy()
    outflow = Outflow(policy, Intake(policy, PlainDecoder(), Tally()), Judgement())
    with pytest.raises(LocalProtocolError, match="no stream is open"):
        _ = outflow.live
    assert outflow.deadlines(closing=False) == []
