"""The straight line: what is spoken comes out as results, and nothing holds the poll loop up."""

import asyncio

import pytest

from consumer.core.policy import CommitPolicy, FlowPolicy, MemoryPolicy, SessionPolicy, StreamPolicy
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import LevelChoice, Offset, Partition
from tests.engine.props import Numbers, voice
from tests.engine.stand import CALLS, LETTERS, Stand, headers, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

FIRST = Partition(CALLS, 0)


async def test_a_call_goes_in_and_its_results_come_out() -> None:
    """The API hears every byte in order, results and events are published, all is committed."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=9)
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 900)]
    assert stand.spans() == [(0, 2), (2, 4), (4, 6), (6, 8)]
    started, ended = stand.events()
    assert (started["event"], ended["event"]) == ("started", "ended")
    assert ended["summary"]["audio_ms"] == 9000
    assert ended["summary"]["records"] == 36
    assert stand.log.events("warning") == stand.log.events("error") == []
    assert stand.metrics.values["records_consumed"] == 37
    assert stand.metrics.values["audio_bytes"] == 1800


async def test_many_calls_on_many_partitions_do_not_mix() -> None:
    """Each caller's stream hears that caller, and its results go to its partition and key."""
    stand = Stand(partitions=3, numbers=Numbers(level=LevelChoice.ALL))
    keys = {f"caller {number}": number % 3 for number in range(12)}
    async with stand.running():
        for _ in range(10):
            for key, partition in keys.items():
                stand.speak(key, 0.5, chunk=0.02, partition=partition)
            await asyncio.sleep(0.5)
        for key, partition in keys.items():
            stand.hang_up(key, partition=partition)
        await stand.until_done()
    for key, partition in keys.items():
        assert stand.audio(key) == [voice(key, 0, 500)]
        assert {result["incarnation"]["partition"] for result in stand.results(key)} == {partition}
        assert (0, 5) in stand.spans(key), "the utterance"


async def test_a_stalled_stream_blocks_only_its_own_session() -> None:
    """Others on its partition go on, and the partition is never left out for long."""

    def react(stream: FakeStream) -> None:
        judge(stream)
        if stream is stand.api.of["stuck"][0]:
            stream.stop_reading()

    judge = Judge()
    session = SessionPolicy(stream=StreamPolicy(stall_timeout=300))
    flow = FlowPolicy(partition_high=2000, partition_low=1000)
    stand = Stand(react, numbers=Numbers(session=session, flow=flow))
    async with stand.running():
        for _ in range(120):
            stand.speak("stuck", 1)
            stand.speak("fine", 1)
            await asyncio.sleep(1)
        assert len(stand.api.of["stuck"][0].audio) <= 1
        assert stand.spans("fine")[-1][1] >= 116
        assert stand.metrics.values["partitions_left_out"] == 0
        assert stand.committed() < 10


async def test_audio_of_a_stalled_session_is_forgotten_and_read_again_when_it_drains() -> None:
    """Its chunks are not kept on arrival; the replayer brings them in order, byte for byte."""
    stand = Stand(
        numbers=Numbers(
            session=SessionPolicy(
                stream=StreamPolicy(stall_timeout=300),
                memory=MemoryPolicy(held=2000, fetch=1000),
            )
        )
    )
    async with stand.running():
        stand.speak(seconds=1)
        await stand.until(lambda: stand.api.streams)
        stand.api.streams[0].stop_reading()
        for _ in range(100):
            stand.speak(seconds=1)
            await asyncio.sleep(1)
            assert stand.metrics.values["held_bytes"] <= 2000
        assert stand.replay.asked == []
        stand.api.streams[0].read_on()
        await stand.until(lambda: len(stand.audio()[0]) == 101 * 200)
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 10100)]
    assert stand.replay.asked
    assert stand.metrics.values["audio_forgotten_bytes"] > 10_000
    assert stand.spans()[-1] == (98, 100)


async def test_a_full_partition_is_left_out_until_it_has_drained() -> None:
    """It is not fetched meanwhile, others are; then it comes back by itself."""
    flow = FlowPolicy(partition_high=3000, partition_low=1500)
    stand = Stand(partitions=2, numbers=Numbers(flow=flow))
    stand.source.limit = 20
    gate = stand.api.script.hold("open")
    async with stand.running():
        for number in range(5):
            stand.speak(f"full {number}", 10, partition=0)
        await asyncio.sleep(1.5)
        left_out = stand.metrics.values["partitions_left_out"]
        position = stand.source.progress(FIRST)
        assert left_out == 1
        assert position is not None
        assert position.position < 100
        stand.speak("other", 1, partition=1)
        await stand.until(lambda: stand.events("other"), within=1)
        gate.set()
        await stand.until(lambda: stand.metrics.values["records_consumed"] >= 200)
        for number in range(5):
            stand.hang_up(f"full {number}", partition=0)
        stand.hang_up("other", partition=1)
        await stand.until_done()
    for number in range(5):
        assert stand.audio(f"full {number}") == [voice(f"full {number}", 0, 1000)]


async def test_polling_goes_on_when_everything_is_left_out() -> None:
    """The process mark leaves all partitions out, and the group still hears from us."""
    flow = FlowPolicy(process_high=4000, process_low=2000)
    stand = Stand(partitions=2, numbers=Numbers(flow=flow))
    stand.source.limit = 20
    gate = stand.api.script.hold("open")
    async with stand.running():
        for number in range(4):
            stand.speak(f"caller {number}", 10, partition=number % 2)
        await asyncio.sleep(1)
        polls = stand.source.script.calls.count("poll")
        consumed = stand.metrics.values["records_consumed"]
        await asyncio.sleep(1)
        assert stand.metrics.values["records_consumed"] == consumed < 160
        assert stand.source.script.calls.count("poll") >= polls + 4
        assert stand.engine.watchdog.alive
        gate.set()
        await stand.until(lambda: stand.metrics.values["records_consumed"] == 160)


async def test_records_below_the_position_are_skipped() -> None:
    """What comes a second time is dropped before it is decoded."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=2)
        await stand.until(lambda: stand.metrics.values["records_consumed"] == 8)
        stand.source.begin(FIRST, Offset(3))
        stand.speak(seconds=1)
        stand.hang_up()
        await stand.until_done()
    assert stand.metrics.values["records_skipped"] == 5
    assert stand.audio() == [voice("call", 0, 300)]


async def test_an_unusable_record_goes_to_the_dead_letters_and_harms_nobody() -> None:
    """As it was, with where it came from and why; its offset settles once it is acknowledged."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=1)
        stand.sink.hold()
        stand.garble(key=None)
        stand.garble(key=b"")
        stand.cluster.append(FIRST, b"\x01", b"call", [("encoding", b"mp3")])
        await asyncio.sleep(5)
        assert stand.committed() == 0
        stand.sink.release()
        stand.speak(seconds=1)
        stand.hang_up()
        await stand.until_done()
    assert stand.audio() == [voice("call", 0, 200)]
    assert stand.reasons() == ["no-key", "bad-key", "unknown-encoding"]
    letters = stand.written(LETTERS)
    assert [letter.value for letter in letters] == [b"?", b"?", b"\x01"]
    assert [headers(letter)["dlq-offset"] for letter in letters] == [b"4", b"5", b"6"]
    assert stand.metrics.values["dead_letters"] == 3


async def test_a_mass_of_unusable_records_stops_the_partition() -> None:
    """It would drain the topic into the dead letters; other partitions go on."""
    flow = FlowPolicy(dead_letters=50)
    stand = Stand(partitions=2, numbers=Numbers(flow=flow))
    async with stand.running():
        stand.speak("good", 2, partition=0)
        stand.garble(200, partition=0)
        stand.speak("other", 2, partition=1)
        await asyncio.sleep(5)
        assert stand.engine.watchdog.troubles() == ["partition 0 is stopped"]
        assert stand.metrics.values["partitions_stopped"] == 1
        assert len(stand.written(LETTERS)) == 50
        assert stand.committed(0) == 8 + 50, "up to the first record that was not dead-lettered"
        assert [line.fields["reason"] for line in stand.log.lines if line.level == "error"] == [
            "no-key"
        ]
        stand.speak("other", 2, partition=1)
        await stand.until(lambda: stand.spans("other") == [(0, 2), (2, 4)])


async def test_good_records_between_unusable_ones_keep_the_partition_going() -> None:
    """Only a run without any good one stops it."""
    stand = Stand(numbers=Numbers(flow=FlowPolicy(dead_letters=50)))
    async with stand.running():
        for _ in range(10):
            stand.garble(49)
            stand.speak(seconds=0.25)
        stand.hang_up()
        await stand.until_done()
    assert len(stand.written(LETTERS)) == 490
    assert stand.audio() == [voice("call", 0, 250)]


async def test_audio_that_a_session_can_not_read_is_dead_lettered_in_its_place() -> None:
    """The record as it was; the rest of the call goes on, and everything settles."""
    stand = Stand()
    broken = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x55\x00" + bytes(20)
    async with stand.running():
        stand.speak("other", 1)
        stand.cluster.append(FIRST, broken, b"call", timestamp=stand.clock.wall_ms())
        stand.hang_up("other")
        stand.hang_up("call")
        await stand.until_done()
    [letter] = stand.written(LETTERS)
    assert letter.value == broken
    assert headers(letter)["dlq-session"] == b"call"
    assert headers(letter)["dlq-offset"] == b"4"


async def test_polling_that_fails_is_tried_again() -> None:
    """Brokers come back; nothing is lost."""
    stand = Stand()
    stand.source.script.fail("poll", *(KafkaFailed("no leader") for _ in range(5)))
    async with stand.running():
        stand.speak(seconds=1)
        stand.hang_up()
        await stand.until_done()
    assert stand.log.events("warning") == ["polling failed, trying again"] * 5
    assert stand.audio() == [voice("call", 0, 100)]


@pytest.mark.parametrize("call", ["start", "poll", "vouch", "commit", "standing", "place"])
async def test_a_refusal_ends_the_engine_with_its_error(call: str) -> None:
    """Nothing of the engine is left, its streams are given up and the group is left."""
    stand = Stand()
    stand.source.script.fail(call, KafkaRefused(f"{call} is not allowed"))
    before = asyncio.all_tasks()
    stand.speak(seconds=3)
    with pytest.raises(ExceptionGroup) as caught:
        await stand.serve()
    assert caught.group_contains(KafkaRefused, match="is not allowed")
    assert len(caught.value.exceptions) == 1
    await asyncio.sleep(60)
    assert asyncio.all_tasks() <= before
    assert stand.source.group.members == []
    assert all(stream.cancelled for stream in stand.api.streams)


async def test_a_refused_output_ends_the_engine_and_commits_nothing() -> None:
    """A results topic that we may not write to is for a person to mend."""
    stand = Stand()
    stand.sink.script.fail("send", KafkaRefused("results: not authorised"))
    stand.speak(seconds=3)
    with pytest.raises(ExceptionGroup) as caught:
        await stand.serve()
    assert caught.group_contains(KafkaRefused, match="not authorised")
    assert stand.committed() == 0


async def test_a_failed_engine_leaves_no_writer_behind() -> None:
    """Its tasks begin nothing any more, so stopping must not be left to one of them."""
    stand = Stand(exactly_once=True, partitions=2)
    stand.transactions.fail("send", KafkaRefused("results: not authorised"))
    stand.speak(seconds=3)
    with pytest.raises(ExceptionGroup) as caught:
        await stand.serve()
    assert caught.group_contains(KafkaRefused, match="not authorised")
    assert len(stand.transactors) == 2
    assert not any(transactor.connected for transactor in stand.transactors)


async def test_a_commit_that_fails_is_tried_again() -> None:
    """What is settled is committed a little later."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=10)))
    async with stand.running():
        await stand.until(lambda: len(stand.source.group.claims) == 1)
        stand.source.script.fail("commit", KafkaFailed("timed out"), KafkaFailed("timed out"))
        stand.speak(seconds=2)
        stand.hang_up()
        await asyncio.sleep(25)
        assert stand.committed() == 0
        await asyncio.sleep(6)
        assert stand.done
