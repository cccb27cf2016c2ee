"""Nothing settles on a guess: what gets no result makes the stream roll over and ask for the OK."""

import asyncio
import itertools

from consumer.core.policy import CommitPolicy, MemoryPolicy, SessionPolicy, StreamPolicy
from consumer.model import LevelChoice
from tests.engine.props import Numbers, voice
from tests.engine.stand import Stand, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time


async def test_an_hour_of_silence_settles_by_rolling_over() -> None:
    """No result ever comes; all offsets settle by OKs, and memory stays small."""
    numbers = Numbers(
        session=SessionPolicy(memory=MemoryPolicy(held=4000)),
        commit=CommitPolicy(poll=1.0),
        level=LevelChoice.ALL,
    )
    stand = Stand(Judge(silent=True), numbers=numbers)
    most_held = most_unsettled = 0.0
    async with stand.running():
        for _ in range(3600):
            stand.speak(seconds=1, chunk=1.0)
            await asyncio.sleep(1)
            most_held = max(most_held, stand.metrics.values["held_bytes"])
            most_unsettled = max(most_unsettled, stand.metrics.values["unsettled_records"])
        unsettled = stand.end() - stand.committed()
        stand.hang_up()
        await stand.until_done()
    assert unsettled < 130
    assert most_unsettled < 130, "two horizons and a little"
    assert most_held <= 4000
    assert b"".join(stand.audio()) == voice("call", 0, 360_000)
    assert 28 <= len(stand.api.streams) <= 61
    assert all(len(audio) % 200 == 0 for audio in stand.audio()), "cut on whole seconds"
    assert stand.results() == []
    assert stand.events()[-1]["summary"]["audio_ms"] == 3_600_000
    assert stand.log.events("warning") == []
    assert stand.replay.asked == [], "nothing had to be read again"


async def test_an_hour_of_silence_that_is_read_at_full_speed_settles_too() -> None:
    """A backlog goes out as fast as the API takes it, in little memory, and settles by OKs."""
    session = SessionPolicy(memory=MemoryPolicy(held=4000, fetch=2000))
    stand = Stand(Judge(silent=True), numbers=Numbers(session=session, level=LevelChoice.ALL))
    begin = stand.clock.wall_ms() - 3_600_000
    for second in range(3600):
        stand.speak(seconds=1, chunk=1.0, timestamp=begin + second * 1000)
    stand.hang_up()
    async with stand.running():
        await stand.until_done(within=60)
    assert b"".join(stand.audio()) == voice("call", 0, 360_000)
    assert stand.metrics.values["held_bytes"] <= 4000
    assert stand.events()[-1]["reason"] == "marked"


async def test_without_an_ok_nothing_settles() -> None:
    """A server that never answers the half-close gets the audio again, however often."""
    stand = Stand(lambda _: None)
    async with stand.running():
        for _ in range(600):
            stand.speak(seconds=1, chunk=1.0)
            await asyncio.sleep(1)
        assert stand.committed() == 0
        assert len(stand.api.streams) >= 3
        assert all(audio == voice("call", 0, len(audio) // 2) for audio in stand.audio())


async def test_a_result_at_the_other_level_settles_nothing() -> None:
    """When utterances govern, segments prove speech but do not judge it."""

    class OnlySegments(Judge):
        """Never comes to the end of an utterance, and never ends a stream."""

        def __call__(self, stream: FakeStream) -> None:
            if not stream.half_close_seen:
                super().__call__(stream)

    stand = Stand(OnlySegments(), numbers=Numbers(level=LevelChoice.ALL))
    async with stand.running():
        stand.speak(seconds=20)
        await asyncio.sleep(30)
        assert stand.spans()[-1] == (18, 20)
        assert stand.committed() == 0


async def test_times_go_on_over_a_roll_over() -> None:
    """Results of the next stream are on the call's clock, in order and without an overlap."""
    session = SessionPolicy(stream=StreamPolicy(limit=20))
    stand = Stand(numbers=Numbers(session=session, level=LevelChoice.ALL))
    async with stand.running():
        for _ in range(100):
            stand.speak(seconds=1)
            await asyncio.sleep(1)
        stand.hang_up()
        await stand.until_done()
    segments = [r for r in stand.results() if r["level"] == "segment"]
    utterances = [r for r in stand.results() if r["level"] == "utterance"]
    assert len(stand.api.streams) >= 5
    assert max(len(audio) for audio in stand.audio()) <= 20 * 200, "the API's limit"
    assert b"".join(stand.audio()) == voice("call", 0, 10_000)
    for results in (segments, utterances):
        spans = [(result["start"], result["end"]) for result in results]
        assert spans == sorted(spans)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert utterances[0]["start"] == 0
    assert utterances[-1]["end"] == 100
    assert all(a["end"] == b["start"] for a, b in itertools.pairwise(utterances)), (
        "every second is judged"
    )
