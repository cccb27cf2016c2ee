"""Audio that the API refuses goes to the dead letters, unless too much is refused at once."""

import asyncio

from consumer.core.policy import BreakerPolicy, RetryPolicy, SessionPolicy
from tests.engine.props import voice
from tests.engine.stand import LETTERS, headers, virtual_time
from tests.engine.temper import INVALID, UNAUTHENTICATED, UNAVAILABLE, tempered

pytestmark = virtual_time


async def test_audio_that_is_refused_again_and_again_poisons_its_session_alone() -> None:
    """Unsettled and further chunks go to the dead letters as they were; others go on."""
    stand, temper = tempered()
    temper.moods["bad"] = INVALID
    others = [f"caller {number}" for number in range(5)]
    async with stand.running():
        for _ in range(20):
            for key in ("bad", *others):
                stand.speak(key, 1)
            await asyncio.sleep(1)
        stand.hang_up("bad")
        for key in others:
            stand.hang_up(key)
        await stand.until_done()
    assert len(stand.api.of["bad"]) == 3, "as many attempts as the policy gives"
    letters = stand.written(LETTERS, "bad")
    assert b"".join(letter.value or b"" for letter in letters) == voice("bad", 0, 2000)
    assert set(stand.reasons()) == {"refused", "poisoned"}
    assert headers(letters[0])["dlq-detail"] == b"INVALID_ARGUMENT: not a voice"
    assert stand.metrics.values["sessions_poisoned"] == 1
    assert stand.log.events("error") == ["session given up"]
    ended = stand.events("bad")[-1]
    assert ended["summary"]["dead_letters"] == 80
    for key in others:
        assert stand.audio(key) == [voice(key, 0, 2000)]


async def test_a_poisoned_session_s_originals_are_read_again_when_not_at_hand() -> None:
    """Hours of audio that were parked and are then refused are dead-lettered byte for byte."""
    stand, temper = tempered()
    temper.moods["bad"] = INVALID
    stand.api.script.fail("open", UNAUTHENTICATED)
    stand.api.script.fail("probe", *(UNAUTHENTICATED for _ in range(10)))
    async with stand.running():
        for _ in range(60):
            stand.speak("bad", 1)
            await asyncio.sleep(1)
        await stand.until(lambda: stand.written(LETTERS))
        stand.speak("bad", 1)
        stand.hang_up("bad")
        await stand.until_done()
    letters = stand.written(LETTERS, "bad")
    assert b"".join(letter.value or b"" for letter in letters) == voice("bad", 0, 6100)


async def test_a_dead_letter_is_acknowledged_before_its_offset_settles() -> None:
    """As long as the brokers have not got them, the offsets of a poisoned session stay."""
    stand, temper = tempered()
    temper.moods["call"] = INVALID
    async with stand.running():
        stand.speak(seconds=2)
        await stand.until(stand.events)
        stand.sink.hold()
        await asyncio.sleep(60)
        assert any(record.topic == LETTERS for record, _ in stand.sink.held)
        assert stand.committed() == 0
        stand.sink.release()
        await stand.until(lambda: stand.committed() == 8)


async def test_a_change_of_format_gives_a_poisoned_session_another_chance() -> None:
    """What the API refused may have been the format."""
    stand, temper = tempered()
    temper.moods["call"] = INVALID
    async with stand.running():
        stand.speak(seconds=2)
        await stand.until(lambda: len(stand.written(LETTERS)) == 8)
        del temper.moods["call"]
        stand.speak(seconds=2, headers=[("sample-rate", b"50")])
        stand.hang_up()
        await stand.until_done()
    assert stand.audio()[-1] == voice("call", 200, 200)
    assert stand.api.streams[-1].config.sample_rate == 50
    assert len(stand.written(LETTERS)) == 8


async def test_many_sessions_refused_at_once_are_the_fault_of_the_api_or_ours() -> None:
    """The breaker opens, and beyond the first few nothing is dead-lettered."""
    stand, temper = tempered(breaker=BreakerPolicy(poisoned=5))
    keys = [f"caller {number}" for number in range(20)]
    temper.moods = dict.fromkeys(keys, INVALID)
    async with stand.running():
        for key in keys:
            stand.speak(key, 2)
        stand.api.script.fail("probe", *(INVALID for _ in range(8)))
        await asyncio.sleep(30)
        assert not stand.breaker.allows
        assert stand.breaker.reason != ""
        assert len({letter.key for letter in stand.written(LETTERS)}) == 5
        temper.moods = {}
        await stand.until(lambda: stand.breaker.allows)
        for key in keys:
            stand.hang_up(key)
        await stand.until_done()
    assert len(stand.written(LETTERS)) == 40
    judged = [key for key in keys if stand.spans(key)]
    assert len(judged) == 15


async def test_forgotten_audio_that_retention_deletes_is_dead_lettered_by_reference() -> None:
    """The call goes on with silence in its place, so that times stay right."""
    stand, _ = tempered(SessionPolicy(retry=RetryPolicy(stuck=3600)))
    stand.api.script.fail("open", UNAUTHENTICATED)
    stand.api.script.fail("probe", *(UNAUTHENTICATED for _ in range(6)))
    async with stand.running():
        stand.speak(seconds=0.25)
        await stand.until(lambda: not stand.breaker.allows)
        stand.speak(seconds=9.75)
        await asyncio.sleep(5)
        [place] = stand.cluster.partitions("calls")
        stand.cluster.delete(place, below=9)
        await stand.until(lambda: stand.breaker.allows)
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 25) + bytes(400) + voice("call", 225, 775)]
    letters = stand.written(LETTERS)
    assert [headers(letter)["dlq-value"] for letter in letters] == [b"deleted"] * 8
    assert [letter.value for letter in letters] == [None] * 8
    assert stand.reasons() == ["expired"] * 8
    assert stand.spans()[-1] == (8, 10)


async def test_a_long_outage_poisons_nobody_when_it_ends() -> None:
    """The age of unsettled audio runs only while something could be done about it."""
    stand, temper = tempered(SessionPolicy(retry=RetryPolicy(stuck=900)))
    stand.api.script.fail("open", UNAVAILABLE)
    stand.api.script.fail("probe", *(UNAVAILABLE for _ in range(60)))
    async with stand.running():
        stand.speak(seconds=2)
        for _ in range(40):
            stand.speak(seconds=1)
            await asyncio.sleep(30)
        assert not stand.breaker.allows
        await stand.until(lambda: stand.breaker.allows, within=36_000)
        stand.hang_up()
        await stand.until_done()
    assert temper.moods == {}
    assert stand.written(LETTERS) == []
    assert stand.audio() == [voice("call", 0, 4200)]
