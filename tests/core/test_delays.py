"""How long audio waits on its way, as it is shown in metrics."""

from consumer.core.events import Publish
from consumer.model import Level, LevelChoice
from tests.core.rig import Rig


def waited(rig: Rig, end: float, level: Level | None = None) -> float | None:
    """A result comes; how long its last audio had been with the stream."""
    rig.result(end, level)
    [published] = [action for action in rig.actions if isinstance(action, Publish)]
    return published.waited


def test_call_time_taken_in() -> None:
    """In milliseconds, whatever became of it."""
    rig = Rig()
    assert rig.session.delays.audio_ms == 0
    rig.arrive(1500)
    rig.take_all()
    assert rig.session.delays.audio_ms == 1500


def test_a_result_says_how_long_its_last_audio_was_with_the_stream() -> None:
    """By the message that held it, not the newest."""
    rig = Rig(level=LevelChoice.SEGMENT)
    for _ in range(4):
        rig.arrive(1000)
        rig.take_all()
        rig.wait(1.0)
    assert waited(rig, 1.5) == 3.0
    assert waited(rig, 3.0) == 2.0
    rig.wait(2.0)
    assert waited(rig, 4.0) == 3.0


def test_segments_and_their_utterance_are_told_alike() -> None:
    """What was asked for once can be asked for again."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(2000)
    rig.take_all()
    rig.wait(1.0)
    assert waited(rig, 2.0, Level.SEGMENT) == 1.0
    assert waited(rig, 2.0, Level.UTTERANCE) == 1.0


def test_when_taken_audio_was_captured() -> None:
    """The newest that the open stream took and nobody has judged; else it is not known."""
    rig = Rig(level=LevelChoice.SEGMENT)
    assert rig.session.delays.captured_at is None
    rig.wait(3.0)
    rig.arrive(1000)
    assert rig.session.delays.captured_at is None, "handed over is not taken"
    rig.take_all()
    assert rig.session.delays.captured_at == 3000
    rig.wait(1.0)
    rig.arrive(1000)
    rig.take_all()
    assert rig.session.delays.captured_at == 4000
    rig.result(2.0)
    assert rig.session.delays.captured_at is None, "it is judged"


def test_what_no_stream_was_given_has_not_waited() -> None:
    """A frame beyond what was handed over, and a session without a stream."""
    rig = Rig()
    assert rig.session.delays.waited(10, 1.0) is None
    rig.arrive(1000)
    rig.take_all()
    assert rig.session.delays.waited(5000, 1.0) is None
