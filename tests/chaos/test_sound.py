"""Audio tells where it belongs, and the seconds of speech are beyond doubt."""

import numpy as np
import pytest

from consumer.sandbox.segments import FRAME_MS, SpeechPolicy
from consumer.sandbox.silero import Model, Track
from tests.chaos.calls import Call, Cast
from tests.chaos.sound.mark import BLOCK, Place, Samples, marks, read
from tests.chaos.sound.speech import PROGRAMMES, RATE, SECONDS, Programme, programme

_SURE_MS = 150
"""So far is every second from the number of milliseconds that makes it one of speech."""


@pytest.mark.parametrize("start", [0, 1, 15, 16, 17, 123_457])
def test_a_piece_tells_where_it_belongs(start: int) -> None:
    """From two blocks on, wherever it was cut."""
    samples = marks(65_535, start, start + 2 * BLOCK - 1)
    assert read(samples) == Place(65_535, start)


def test_other_bits_do_not_matter() -> None:
    """The sound lies above the mark."""
    loud = np.full(64, -32_768, np.int16)
    assert read(loud | marks(7, 40, 104)) == Place(7, 40)


def test_less_or_other_audio_tells_nothing() -> None:
    """A part of a block, silence, and a block with a wrong bit."""
    assert read(marks(3, 1, BLOCK)) is None
    assert read(np.zeros(100, np.int16)) is None
    wrong: Samples = marks(3, 0, BLOCK).copy()
    wrong[5] ^= 1
    assert read(wrong) is None


def test_a_call_is_its_programme_with_marks() -> None:
    """Cut anywhere, its audio is the same, and no other call's."""
    call = Call(number=9, key="k", partition=0, programme=1, seconds=30)
    whole = call.audio(0, call.frames)
    assert len(whole) == 2 * call.frames
    assert whole[2 * 12_345 : 2 * 23_456] == call.audio(12_345, 23_456)
    assert read(np.frombuffer(whole, "<i2")[777:900]) == Place(9, 777)


@pytest.mark.parametrize("number", range(PROGRAMMES))
def test_seconds_of_speech_are_beyond_doubt(number: int) -> None:
    """The sandbox's model hears speech where a programme says so, by a wide margin."""
    told = programme(number)
    voiced = _voiced(told)
    limit = SpeechPolicy().speech_ms
    spoken = {second for one in told.spoken for second in range(one.start, one.end)}
    wrong = {
        second: ms
        for second, ms in enumerate(voiced)
        if (ms < limit + _SURE_MS if second in spoken else ms > limit - _SURE_MS)
    }
    assert not wrong


def test_a_run_has_all_that_it_should() -> None:
    """So many sessions at the same time, keys used again, late end marks, poisoned calls."""
    calls = Cast(seed=1, seconds=180, sessions=200, partitions=8).calls()
    assert [call.number for call in calls] == list(range(len(calls)))
    assert min(_at_once(calls, second) for second in range(20, 140, 10)) > 185
    assert len(calls) > 2 * len({call.key for call in calls}) - 50
    assert sum(call.end_after > 3 for call in calls) > 20
    assert sum(call.poisoned for call in calls) == 2
    assert max(call.over for call in calls) <= 180
    assert calls == Cast(seed=1, seconds=180, sessions=200, partitions=8).calls()


def _at_once(calls: list[Call], second: int) -> int:
    return sum(call.begins <= second < call.over for call in calls)


def _voiced(told: Programme) -> list[int]:
    """Milliseconds of voice in each second."""
    samples = told.samples | marks(1, 0, len(told.samples))
    [heard] = Model().listen([(Track(RATE), samples.tobytes(), True)])
    voiced = [0] * SECONDS
    for number, probability in enumerate(heard.probabilities.tolist(), 1):
        if probability >= SpeechPolicy().threshold:
            voiced[min((number * FRAME_MS - 1) // 1000, SECONDS - 1)] += FRAME_MS
    return voiced
