"""Streams roll over at a horizon or a limit, and only their OK settles silence."""

from consumer.core.policy import SessionPolicy, StreamPolicy
from consumer.model import Level
from tests.core.rig import RATE, Rig


def talk(rig: Rig, seconds: float) -> None:
    """Audio comes in real time and is taken at once."""
    for _ in range(int(seconds * 4)):
        rig.wait(0.25)
        rig.arrive(250)
        rig.take_all()


def rolling(**numbers: float) -> Rig:
    """A session with these numbers of its streams."""
    return Rig(SessionPolicy(stream=StreamPolicy(**numbers)))


def test_silence_rolls_the_stream_over_after_a_horizon() -> None:
    """Half-close, OK, and only that settles the silence."""
    rig = rolling(horizon=10.0)
    talk(rig, 11.0)
    assert not rig.open_stream.half_close_asked
    assert rig.settled_below == 0
    talk(rig, 1.0)
    assert rig.open_stream.half_close_asked
    assert rig.settled_below == 0
    rig.ok()
    assert rig.settled_below > 100
    assert rig.open_stream.base % RATE == 0
    rig.finish()


def test_speech_with_results_never_rolls() -> None:
    """As long as the governing level judges."""
    rig = rolling(horizon=10.0)
    for second in range(2, 60, 2):
        talk(rig, 2.0)
        rig.result(float(second))
    assert len(rig.streams) == 1


def test_speech_with_segments_only_rolls() -> None:
    """Segments prove speech, but not that its utterance will come."""
    rig = rolling(horizon=10.0)
    for second in range(2, 30, 2):
        talk(rig, 2.0)
        if not rig.open_stream.half_close_asked:
            rig.result(float(second), Level.SEGMENT)
    assert rig.open_stream.half_close_asked
    assert rig.settled_below == 0


def test_a_roll_over_cuts_at_a_whole_second_of_the_call() -> None:
    """The API's times are whole seconds in practice."""
    rig = rolling(horizon=2.0)
    rig.arrive(333)
    talk(rig, 8.0)
    assert len(rig.open_stream.given) // 2 % RATE == 0
    rig.finish()


def test_a_roll_over_does_not_wait_for_ever_for_its_whole_second() -> None:
    """A caller who is on hold sends nothing more."""
    rig = rolling(horizon=2.0, cut_patience=1.5)
    rig.arrive(2333)
    rig.wait(0.3)
    rig.take_all()
    rig.wait(0.3)
    rig.take_all()
    rig.wait(4.0)
    assert not rig.open_stream.half_close_asked
    rig.wait(2.0)
    assert rig.open_stream.half_close_asked
    rig.finish()


def test_near_the_limit_the_stream_ends_with_an_utterance() -> None:
    """From seven tenths on."""
    rig = rolling(horizon=100.0, limit=20.0)
    talk(rig, 13.0)
    rig.result(12.0)
    assert not rig.open_stream.half_close_asked
    talk(rig, 2.0)
    rig.result(14.0)
    assert rig.open_stream.half_close_asked
    rig.finish()


def test_further_results_do_not_put_the_end_off() -> None:
    """The place is chosen once, and the wait for it has its end."""
    rig = rolling(horizon=100.0, limit=20.0)
    talk(rig, 15.0)
    rig.arrive(333)
    rig.wait(0.3)
    rig.take_all()
    for moment in range(3):
        rig.result(13.0 + moment / 10)
        rig.wait(0.45)
    assert not rig.open_stream.half_close_asked
    rig.result(14.0)
    rig.wait(0.2)
    assert rig.open_stream.half_close_asked
    rig.finish()


def test_at_nine_tenths_of_the_limit_the_stream_ends_in_any_case() -> None:
    """Even in mid-utterance."""
    rig = rolling(horizon=100.0, limit=20.0)
    talk(rig, 17.5)
    assert not rig.open_stream.half_close_asked
    talk(rig, 2.0)
    assert rig.open_stream.half_close_asked
    rig.finish()
