"""Frame probabilities become spans on the API's grid."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.sandbox.segments import (
    FRAME_MS,
    Centiseconds,
    Level,
    Segmenter,
    Span,
    SpeechPolicy,
)

POLICY = SpeechPolicy(longest=6)


def seconds(text: str) -> list[float]:
    """Probabilities of frames: a dot is a silent second, an x one of speech."""
    frames = len(text) * 1000 // FRAME_MS
    return [0.9 if text[((n + 1) * FRAME_MS - 1) // 1000] == "x" else 0.1 for n in range(frames)]


def spans_of(text: str, policy: SpeechPolicy = POLICY) -> list[Span]:
    """All spans of a stream that is heard at once."""
    segmenter = Segmenter(policy)
    spans = segmenter.hear(seconds(text), len(text))
    return spans + segmenter.finish(Centiseconds(100 * len(text)))


def in_words(span: Span) -> str:
    """Level, seconds and id."""
    return f"{span.level} {span.start / 100:g}-{span.end / 100:g}: {span.id}"


def test_published_sample() -> None:
    """Speech from 0 to 9 and 10 to 15 s gets the ids that the vendor's samples show: 2, 14, 24."""
    spans = spans_of("xxxxxxxxx.xxxxx", SpeechPolicy())
    assert [in_words(span) for span in spans] == [
        "segment 0-2: 2",
        "segment 2-4: 5",
        "segment 4-6: 8",
        "segment 6-8: 11",
        "segment 8-9: 13",
        "utterance 0-9: 14",
        "segment 10-12: 18",
        "segment 12-14: 21",
        "segment 14-15: 23",
        "utterance 10-15: 24",
    ]


def test_silence_gives_nothing() -> None:
    """A stream without speech has no spans."""
    assert spans_of("." * 50) == []


def test_long_speech_is_cut() -> None:
    """An utterance ends at the longest allowed, and the next begins there."""
    spans = [span for span in spans_of("x" * 15) if span.level is Level.UTTERANCE]
    assert [(span.start, span.end) for span in spans] == [(0, 600), (600, 1200), (1200, 1500)]


def test_span_comes_as_soon_as_its_audio_is_there() -> None:
    """Two seconds of speech close a segment without any frame of the third."""
    segmenter = Segmenter(POLICY)
    assert segmenter.hear([0.9] * 61, 1) == []
    assert [in_words(span) for span in segmenter.hear([0.9], 2)] == ["segment 0-2: 2"]


def test_last_second_ends_where_the_audio_ends() -> None:
    """Speech in a last second that is not full counts up to the end of the audio."""
    segmenter = Segmenter(POLICY)
    segmenter.hear([0.9] * 45, 1)
    assert [in_words(span) for span in segmenter.finish(Centiseconds(146))] == [
        "segment 0-1.46: 2",
        "utterance 0-1.46: 3",
    ]


def test_silent_rest_is_left_out() -> None:
    """A last second that is not full and silent ends the utterance before it."""
    segmenter = Segmenter(POLICY)
    segmenter.hear([0.9] * 31 + [0.1] * 14, 1)
    assert [in_words(span) for span in segmenter.finish(Centiseconds(146))] == [
        "segment 0-1: 1",
        "utterance 0-1: 2",
    ]


@pytest.mark.parametrize(("frames", "expected"), [(7, 0), (8, 2)])
def test_a_quarter_of_a_second_is_speech(frames: int, expected: int) -> None:
    """250 ms of speech make a speech second, the next shorter count doesn't."""
    segmenter = Segmenter(POLICY)
    spans = segmenter.hear([0.5] * frames + [0.49] * (31 - frames), 1)
    assert len(spans + segmenter.finish(Centiseconds(100))) == expected


def test_missing_frames_are_noticed() -> None:
    """A second can't be decided before all frames that end in it were handed in."""
    with pytest.raises(ValueError, match="30 frames don't reach"):
        Segmenter(POLICY).hear([0.9] * 30, 1)


@pytest.mark.parametrize(
    "numbers",
    [{"threshold": 1.0}, {"speech_ms": 0}, {"speech_ms": 999}, {"segment": 0}, {"longest": 7}],
)
def test_policy_must_make_sense(numbers: dict[str, float]) -> None:
    """Numbers that can't work are refused."""
    with pytest.raises(ValueError, match="must be"):
        SpeechPolicy(**numbers)  # type: ignore[arg-type]  # wrong on purpose


frame_lists = st.lists(
    st.tuples(st.sampled_from([0.0, 0.49, 0.5, 1.0]), st.integers(1, 60)), max_size=40
).map(lambda runs: [value for value, count in runs for _ in range(count)])


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[float], int, list[int]]:
    """Frames, milliseconds of audio (up to a frame more) and places to cut the frames at."""
    frames = draw(frame_lists)
    length_ms = len(frames) * FRAME_MS + draw(st.integers(0, FRAME_MS - 1))
    cuts = draw(st.lists(st.integers(0, len(frames)), max_size=10).map(sorted))
    return frames, length_ms, cuts


def run(frames: list[float], length_ms: int, cuts: list[int]) -> list[tuple[Centiseconds, Span]]:
    """The spans, each with what `open_since` was before it came."""
    segmenter, out = Segmenter(POLICY), []
    for start, end in pairwise([0, *cuts, len(frames)]):
        since = segmenter.open_since
        # The last frames come with the audio that fills no frame.
        heard_ms = length_ms if end == len(frames) else end * FRAME_MS
        out += [(since, span) for span in segmenter.hear(frames[start:end], heard_ms // 1000)]
    since = segmenter.open_since
    return out + [(since, span) for span in segmenter.finish(Centiseconds(length_ms // 10))]


def speech_seconds(frames: list[float], length_ms: int) -> list[int]:
    """Which seconds are speech, counted frame by frame."""
    frames_in: dict[int, int] = {}
    for n, value in enumerate(frames):
        second = ((n + 1) * FRAME_MS - 1) // 1000
        frames_in[second] = frames_in.get(second, 0) + (value >= POLICY.threshold)
    return [
        second
        for second, count in sorted(frames_in.items())
        if count * FRAME_MS >= POLICY.speech_ms and second * 1000 < length_ms
    ]


@given(streams())
def test_cuts_change_nothing(stream: tuple[list[float], int, list[int]]) -> None:
    """However the frames are handed in, the spans are the same."""
    frames, length_ms, cuts = stream
    whole = [span for _, span in run(frames, length_ms, [])]
    assert [span for _, span in run(frames, length_ms, cuts)] == whole


@given(streams())
def test_each_level_covers_all_speech_once(stream: tuple[list[float], int, list[int]]) -> None:
    """Spans of one level are in order, don't overlap, and hold the speech seconds, no others."""
    frames, length_ms, cuts = stream
    spans = [span for _, span in run(frames, length_ms, cuts)]
    for level in Level:
        own = [span for span in spans if span.level is level]
        covered = [s for span in own for s in range(span.start // 100, -(-span.end // 100))]
        assert covered == speech_seconds(frames, length_ms)
        assert all(span.start % 100 == 0 for span in own)
        assert all(span.end % 100 == 0 or span.end == length_ms // 10 for span in own)


@given(streams())
def test_utterances_are_made_of_segments(stream: tuple[list[float], int, list[int]]) -> None:
    """An utterance comes right after its last segment; segments are as long as they can be."""
    frames, length_ms, cuts = stream
    spans = [span for _, span in run(frames, length_ms, cuts)]
    assert [span.id for span in spans] == sorted({span.id for span in spans})
    parts: list[Span] = []
    for span in spans:
        if span.level is Level.SEGMENT:
            parts.append(span)
            continue
        assert (parts[0].start, parts[-1].end) == (span.start, span.end)
        assert all(a.end == b.start for a, b in pairwise(parts))
        assert all(part.end - part.start == 200 for part in parts[:-1])
        assert span.end - span.start <= POLICY.longest * 100
        parts = []
    assert parts == []


@given(streams())
def test_nothing_before_open_since_comes(stream: tuple[list[float], int, list[int]]) -> None:
    """A span never reaches back behind what was promised before it came."""
    for since, span in run(*stream):
        assert span.start >= since
