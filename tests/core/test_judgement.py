"""Results say how far the audio is judged, and where in the call they lie."""

from fractions import Fraction

from consumer.core.judgement import Judgement
from consumer.model import (
    Frames,
    Hertz,
    Level,
    LevelChoice,
    StreamConfig,
    StreamMessage,
    StreamResult,
)

ALL = StreamConfig(Hertz(1000), LevelChoice.ALL)


def message(*spans: tuple[Level, int, int]) -> StreamMessage:
    """A message with results of these levels and seconds."""
    results = tuple(
        StreamResult("1", Fraction(start), Fraction(end), "deepfake", level, "bonafide")
        for level, start, end in spans
    )
    return StreamMessage(1, 7, 0, results)


def test_the_judged_frame_only_grows() -> None:
    """Less than before is no news."""
    judgement = Judgement()
    assert judgement.advance(100)
    assert not judgement.advance(100)
    assert not judgement.advance(50)
    assert judgement.judged == 100


def test_only_the_governing_level_reaches() -> None:
    """A segment proves speech, but not that its utterance will come."""
    judgement = Judgement()
    clock = judgement.clock(ALL, 500, 0.01)
    said = message((Level.SEGMENT, 0, 4), (Level.UTTERANCE, 0, 2), (Level.UTTERANCE, 2, 3))
    assert judgement.reach(said, clock, LevelChoice.ALL, 9000) == 3500
    assert judgement.reach(said, clock, LevelChoice.SEGMENT, 9000) == 4500
    assert judgement.reach(message(), clock, LevelChoice.ALL, 9000) == 0


def test_nothing_is_judged_that_was_not_taken() -> None:
    """Whatever time a result names."""
    judgement = Judgement()
    clock = judgement.clock(ALL, 0, 0.01)
    assert judgement.reach(message((Level.UTTERANCE, 0, 9)), clock, LevelChoice.ALL, 700) == 700


def test_what_is_published_is_known_to_the_next_clock() -> None:
    """And not to the one that is in use."""
    judgement = Judgement()
    clock = judgement.clock(ALL, 0, 0.01)
    said = message((Level.SEGMENT, 0, 2))
    assert len(judgement.place(said, clock, 9000)) == 1
    assert len(judgement.place(said, clock, 9000)) == 1
    assert judgement.place(said, judgement.clock(ALL, 0, 0.01), 9000) == []


def test_an_earlier_end_does_not_replace_a_later_one() -> None:
    """Results of one stream may come out of order."""
    judgement = Judgement()
    clock = judgement.clock(ALL, 0, 0.01)
    judgement.place(message((Level.SEGMENT, 2, 4), (Level.SEGMENT, 0, 2)), clock, 9000)
    later = judgement.clock(ALL, 0, 0.01)
    assert judgement.place(message((Level.SEGMENT, 2, 4)), later, 9000) == []


def test_what_is_held_is_taken_once() -> None:
    """Then nothing is held any more."""
    judgement = Judgement()
    assert judgement.held_until is None
    judgement.hold(Frames(100), 6.0)
    assert judgement.held_until == 6.0
    assert judgement.release() == 100
    assert judgement.release() is None
    assert judgement.held_until is None


def test_what_is_held_goes_with_its_stream() -> None:
    """Its audio will be sent again."""
    judgement = Judgement()
    judgement.hold(Frames(100), 6.0)
    judgement.drop_hold()
    assert (judgement.held_until, judgement.release(), judgement.judged) == (None, None, 0)
