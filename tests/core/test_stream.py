"""An open stream knows what it carries and since when, and when it has to end."""

import pytest

from consumer.core.policy import StreamPolicy
from consumer.core.stream import LiveStream
from consumer.core.timeline import StreamClock
from consumer.model import Frames, Hertz, Level, LevelChoice, StreamConfig, StreamNumber

RATE = 1000
POLICY = StreamPolicy(horizon=60.0, stall_timeout=30.0)
LIMITED = StreamPolicy(horizon=60.0, limit=100.0)


def opened(base: int = 0, now: float = 0.0) -> LiveStream:
    """A stream of 1000 frames a second."""
    config = StreamConfig(Hertz(RATE), LevelChoice.ALL)
    clock = StreamClock(base, RATE, Level.UTTERANCE, {}, 0.01)
    return LiveStream(StreamNumber(0), config, Frames(base), clock, now)


def carry(stream: LiveStream, seconds: int, start: float) -> None:
    """Hand over and take so many seconds of audio, one a second."""
    for i in range(seconds):
        stream.handed_over(RATE, start + i)
        stream.took(RATE, start + i)


def test_a_new_stream_carries_nothing() -> None:
    """It starts at its base."""
    stream = opened(base=500, now=7.0)
    assert (stream.base, stream.sent, stream.taken) == (500, 500, 500)
    assert (stream.opened_at, stream.cut) == (7.0, None)


def test_sent_runs_ahead_of_taken() -> None:
    """A message is handed over, and later accepted."""
    stream = opened(base=500)
    stream.handed_over(100, 1.0)
    assert (stream.sent, stream.taken) == (600, 500)
    stream.took(100, 2.0)
    assert (stream.sent, stream.taken) == (600, 600)


def test_a_stream_stalls_when_a_message_is_not_taken() -> None:
    """Counted from when it was handed over, or from the last one taken."""
    stream = opened()
    assert stream.stalled_at(POLICY) is None
    stream.handed_over(100, 5.0)
    stream.handed_over(100, 9.0)
    assert stream.stalled_at(POLICY) == 35.0
    stream.took(100, 20.0)
    assert stream.stalled_at(POLICY) == 50.0
    stream.took(100, 21.0)
    assert stream.stalled_at(POLICY) is None


def test_silence_makes_it_roll_a_horizon_after_it_was_taken() -> None:
    """Both must be: audio a horizon behind the newest, and a horizon of wall time ago."""
    stream = opened()
    carry(stream, 59, start=10.0)
    assert stream.roll_at(0, POLICY) is None
    carry(stream, 1, start=69.0)
    assert stream.roll_at(0, POLICY) == 10.0 + 1.0 + 60.0


def test_audio_that_nobody_has_taken_makes_nothing_roll() -> None:
    """Writing is local: only what the API's side accepted may have been heard."""
    stream = opened()
    stream.handed_over(100 * RATE, 0.0)
    assert stream.roll_at(0, POLICY) is None


def test_a_catch_up_does_not_roll_at_once() -> None:
    """Ten minutes of audio in one second may all be judged in the next."""
    stream = opened()
    for _ in range(600):
        stream.handed_over(RATE, 5.0)
        stream.took(RATE, 5.0)
    assert stream.roll_at(0, POLICY) == 66.0


def test_what_is_judged_moves_the_horizon() -> None:
    """Only unjudged audio counts."""
    stream = opened()
    carry(stream, 100, start=0.0)
    assert stream.roll_at(0, POLICY) == 61.0
    assert stream.roll_at(30 * RATE, POLICY) == 91.0
    assert stream.roll_at(41 * RATE, POLICY) is None


def test_a_long_call_with_results_keeps_no_long_memory() -> None:
    """When audio was taken is only of interest while it is unjudged."""
    stream = opened()
    for second in range(5000):
        carry(stream, 1, start=float(second))
        stream.roll_at(stream.taken - RATE, POLICY)
    assert len(stream._history) < 5


def test_a_long_silence_keeps_one_note_a_second() -> None:
    """However small the messages are."""
    stream = opened()
    for moment in range(1000):
        stream.handed_over(20, 500 + moment / 50)
        stream.took(20, 500 + moment / 50)
    assert len(stream._history) == 20


def test_a_limit_makes_it_roll_at_nine_tenths() -> None:
    """By age, or by audio when that is more."""
    stream = opened(base=90_000, now=3.0)
    assert stream.roll_at(90_000, LIMITED) == 93.0
    stream.handed_over(90 * RATE, 4.0)
    assert stream.roll_at(180_000, LIMITED) == 3.0


def test_the_earlier_of_horizon_and_limit_counts() -> None:
    """Whatever comes first ends the stream."""
    stream = opened()
    carry(stream, 70, start=0.0)
    assert stream.roll_at(0, LIMITED) == 61.0


@pytest.mark.parametrize(("now", "audio", "may"), [(69, 0, False), (70, 0, True), (0, 70, True)])
def test_near_the_limit_an_utterances_end_is_a_good_place(now: int, audio: int, may: bool) -> None:
    """From seven tenths of the limit on, in wall time or audio."""
    stream = opened(base=90_000, now=50.0)
    stream.handed_over(audio * RATE, 50.0)
    assert stream.may_roll(LIMITED, 50.0 + now) is may
    assert not stream.may_roll(POLICY, 50.0 + now)
