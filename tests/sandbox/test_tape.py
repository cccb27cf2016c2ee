"""The tape keeps the audio that is still needed and nothing else."""

import numpy as np

from consumer.sandbox.segments import Centiseconds
from consumer.sandbox.tape import Tape

RATE = 8_000
SECOND = np.arange(RATE, dtype="<i2")


def test_play_gives_the_samples_of_a_span() -> None:
    """A span is found by its times, also after older audio was forgotten."""
    tape = Tape(RATE)
    for offset in (0, 1000, 2000):
        tape.record((SECOND + offset).tobytes())
    expected = (SECOND + 1000).astype(np.float32) / 32768
    assert np.array_equal(tape.play(Centiseconds(100), Centiseconds(200)), expected)
    tape.forget(Centiseconds(100))
    assert np.array_equal(tape.play(Centiseconds(100), Centiseconds(200)), expected)
    assert len(tape.play(Centiseconds(150), Centiseconds(175))) == RATE // 4


def test_seconds_count_what_was_forgotten() -> None:
    """The length of the stream doesn't shrink, even when more is forgotten than there is."""
    tape = Tape(RATE)
    tape.record(SECOND.tobytes() * 2)
    tape.forget(Centiseconds(100))
    assert tape.seconds == 2
    tape.forget(Centiseconds(100))
    tape.forget(Centiseconds(200))
    tape.record(SECOND.tobytes())
    assert tape.seconds == 3
    assert np.array_equal(tape.play(Centiseconds(200), Centiseconds(300)) * 32768, SECOND)
