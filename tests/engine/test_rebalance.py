"""Partitions come and go while calls are going on."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from consumer.codec.checkpoint import read_checkpoints
from consumer.core.policy import CommitPolicy, IdlePolicy
from consumer.engine.tenure import Phase
from consumer.model import Outgoing, Partition, Record
from tests.engine.props import Numbers, voice
from tests.engine.stand import CALLS, RESULTS, Stand, settle_down, virtual_time

pytestmark = virtual_time

FIRST, SECOND = Partition(CALLS, 0), Partition(CALLS, 1)


async def speak_everywhere(stand: Stand, seconds: int) -> None:
    """Two callers speak in real time, one on each partition."""
    for _ in range(seconds):
        stand.speak("a", 1, partition=0)
        stand.speak("b", 1, partition=1)
        await asyncio.sleep(1)


def hang_up_everywhere(stand: Stand) -> None:
    """Both hang up."""
    stand.hang_up("a", partition=0)
    stand.hang_up("b", partition=1)


def heard(key: str, *stands: Stand) -> list[tuple[int, int]]:
    """Where in the call each stream lies, by any replica: first frame and frames, in order."""
    whole = voice(key, 0, 10_000)
    places = [(whole.index(audio) // 2, len(audio) // 2) for s in stands for audio in s.audio(key)]
    return sorted(places)


def covered(places: list[tuple[int, int]]) -> int:
    """Frames from the start of the call on that were heard without a gap."""
    until = 0
    for start, frames in places:
        if start > until:
            break
        until = max(until, start + frames)
    return until


async def test_two_replicas_share_the_partitions() -> None:
    """A second one joins: both give back and take anew, and no audio is lost on the way."""
    one = Stand(partitions=2)
    two = Stand(cluster=one.cluster)
    async with one.running(alone=False):
        await speak_everywhere(one, 5)
        async with two.running(alone=False):
            await speak_everywhere(one, 5)
            assert (len(one.engine.ownership), len(two.engine.ownership)) == (1, 1)
            hang_up_everywhere(one)
            await one.until_done()
    for key in ("a", "b"):
        assert covered(heard(key, one, two)) == 1000
    assert one.metrics.values["settle_late"] == two.metrics.values["settle_late"] == 0


async def test_a_replica_that_leaves_hands_its_partitions_over() -> None:
    """The other goes on from what was committed."""
    one = Stand(partitions=2)
    two = Stand(cluster=one.cluster)
    async with one.running(alone=False):
        async with two.running(alone=False):
            await speak_everywhere(one, 6)
        await speak_everywhere(one, 6)
        assert len(one.engine.ownership) == 2
        hang_up_everywhere(one)
        await one.until_done()
    for key in ("a", "b"):
        assert covered(heard(key, one, two)) == 1200


async def test_a_partition_that_stays_keeps_its_streams() -> None:
    """The client gives everything back at each rebalance; a call does not notice."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=3600)))
    async with stand.running():
        stand.speak(seconds=5)
        await asyncio.sleep(2)
        await stand.source.group.rebalance()
        stand.speak(seconds=5)
        stand.hang_up()
        await stand.until(lambda: len(stand.events()) == 2)
    assert [event["event"] for event in stand.events()] == ["started", "ended"]
    assert stand.audio() == [voice("call", 0, 1000)]
    assert stand.done


async def test_without_claims_a_partition_that_stays_is_taken_anew() -> None:
    """The call goes on as a resumed one."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=3600)))
    stand.source.group.keeps_claims = False
    async with stand.running():
        stand.speak(seconds=5)
        await asyncio.sleep(2)
        await stand.source.group.rebalance()
        stand.speak(seconds=5)
        stand.hang_up()
        await stand.until(lambda: len(stand.events()) == 3)
    events = [(event["event"], event.get("resumed")) for event in stand.events()]
    assert events == [("started", False), ("started", True), ("ended", None)]
    assert stand.audio() == [voice("call", 0, 500), voice("call", 400, 600)]
    assert stand.done


@pytest.mark.parametrize("exactly_once", [False, True])
async def test_a_call_that_moves_goes_on_in_call_time(exactly_once: bool) -> None:
    """Under the next owner it is the same call, and nothing that was judged is heard again."""
    numbers = Numbers(commit=CommitPolicy(interval=1))
    one = Stand(numbers=numbers, exactly_once=exactly_once)
    two = Stand(numbers=numbers, exactly_once=exactly_once, cluster=one.cluster)
    async with one.running(alone=False):
        one.speak(seconds=5)
        await asyncio.sleep(3)
    two.spoken = one.spoken
    async with two.running(alone=False):
        two.speak(seconds=5)
        two.hang_up()
        await two.until_done()
    events = [event["event"] for stand in (one, two) for event in stand.events()]
    assert events == ["started", "ended"]
    spans = sorted(one.spans() + two.spans())
    assert [start for start, _ in spans] == sorted({start for start, _ in spans})
    assert max(end for _, end in spans) == 10.0
    assert one.audio() + two.audio() == [voice("call", 0, 500), voice("call", 400, 600)]
    assert two.events()[0]["summary"]["audio_ms"] == 10_000


async def test_an_expelled_member_that_nobody_has_replaced_goes_on() -> None:
    """It commits nothing while it is out; its claim says that nobody else was in."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=3600)))
    async with stand.running():
        stand.speak(seconds=5)
        await asyncio.sleep(2)
        group = stand.source.group
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(group.expel(stand.source))
        await asyncio.sleep(2)
        stand.hang_up()
        await stand.until(lambda: len(stand.events()) == 2)
        assert stand.audio() == [voice("call", 0, 500)]


@pytest.mark.parametrize("lost", [True, False])
async def test_records_polled_before_a_revoke_are_not_routed_after_it(lost: bool) -> None:
    """A batch of a partition that goes while it is taken in ends where it stands."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=3600)))
    async with stand.running():
        await stand.until(lambda: stand.metrics.values["partitions_owned"])
        stand.speak(seconds=100)
        await stand.until_turn(lambda: stand.metrics.values["records_consumed"])
        old = stand.engine.ownership.get(FIRST)
        assert old is not None
        stand.sink.hold()
        old.tenure.put(Outgoing(RESULTS, 0, b"call", b"{}"))
        revoking = asyncio.create_task(stand.engine.ownership.revoked((FIRST,), lost))
        await stand.until_turn(lambda: old.tenure.phase is Phase.SUSPENDED)
        before = stand.metrics.values["records_consumed"]
        assert before < 400
        await settle_down(100)
        assert revoking.done() is lost, "giving back waits for what is on its way"
        assert stand.metrics.values["records_consumed"] == before
        stand.sink.release()
        await revoking
        await stand.source.group.rebalance()
        stand.hang_up()
        await stand.until(lambda: stand.events() and stand.events()[-1]["event"] == "ended")
        assert stand.audio() == [voice("call", 0, 10_000)]


async def test_records_polled_before_a_rebalance_are_not_for_the_new_tenure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would move its position past records that it has yet to read."""
    stand = Stand(partitions=2, numbers=Numbers(commit=CommitPolicy(interval=3600)))
    poll = stand.source.poll
    changes: list[asyncio.Task[None]] = []

    async def poll_and_change(
        without: Collection[Partition], wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        """One partition goes and comes back while the batch of the other is taken in."""
        batches = await poll(without, wait)
        if len(batches) == 2 and stand.metrics.values["records_consumed"] and not changes:
            changes.append(asyncio.create_task(change()))
        return batches

    async def change() -> None:
        ownership = stand.engine.ownership
        await ownership.revoked((SECOND,), True)
        ownership.assigned((FIRST,))
        ownership.assigned((FIRST, SECOND))

    monkeypatch.setattr(stand.source, "poll", poll_and_change)
    async with stand.running(alone=False):
        stand.speak("b", 5, partition=1)
        await stand.until(lambda: stand.metrics.values["records_consumed"] == 20)
        stand.source.limit = 5000
        stand.speak("a", 1000, partition=0)
        stand.speak("b", 5, partition=1)
        await stand.until(lambda: changes and changes[0].done())
        hang_up_everywhere(stand)
        await stand.until(lambda: all(stand.events(k)[-1]["event"] == "ended" for k in "ab"))
    assert stand.audio("b") == [voice("b", 0, 500), voice("b", 0, 1000)]
    assert stand.audio("a") == [voice("a", 0, 100_000)]


async def test_an_end_that_no_record_tells_of_is_known_to_the_next_owner() -> None:
    """A session that silence has ended, and whose audio still waits, has ended there too."""
    stand = Stand(lambda _: None, numbers=Numbers(idle=IdlePolicy(timeout=10)))
    async with stand.running():
        stand.speak(seconds=1)
        await asyncio.sleep(25)
        [found] = read_checkpoints(await stand.checkpoints.read(0)).sessions
        assert found.ending is not None
        assert found.ending.last == 3
