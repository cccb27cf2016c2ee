"""Partitions are taken in the background and given back within a budget."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from consumer.codec.records import decode_chunk
from consumer.core.claim import Claim, Standing
from consumer.core.policy import CommitPolicy
from consumer.engine.holding import Holding
from consumer.engine.ownership import Ownership
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Phase
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Offset, Outgoing, Partition
from tests.engine.props import Numbers, React
from tests.engine.stand import CALLS, CHECKPOINTS, RESULTS, Stand, settle_down, virtual_time

pytestmark = virtual_time

FIRST, SECOND = Partition(CALLS, 0), Partition(CALLS, 1)


class Owning:
    """What is ours, without anybody who polls."""

    def __init__(self, stand: Stand, ownership: Ownership) -> None:
        self.stand = stand
        self.ownership = ownership

    def holding(self, partition: Partition = FIRST) -> Holding:
        """The holding of this partition."""
        found = self.ownership.get(partition)
        assert found is not None
        return found

    def speak(self, seconds: float, partition: Partition = FIRST) -> None:
        """A caller speaks and the records are routed."""
        holding = self.holding(partition)
        for record in self.stand.speak(
            f"caller {partition.number}", seconds, partition=partition.number
        ):
            chunk = decode_chunk(record, self.stand.defaults)
            holding.dispatcher.route(record, chunk, self.stand.clock.wall_ms())

    def settle(self, partition: Partition = FIRST) -> None:
        """One record is read, published about and settled."""
        tenure = self.holding(partition).tenure
        lane, offset = tenure.offsets.lane(), tenure.offsets.position
        tenure.offsets.track(lane, offset)
        tenure.put(Outgoing(RESULTS, partition.number, b"call", b"{}"))
        tenure.settle(lane, Offset(offset + 1))

    async def revoke(self, *, lost: bool = False) -> None:
        """The group takes everything."""
        await self.ownership.revoked((FIRST, SECOND), lost)


def nothing(_: Stand) -> None:
    """Nothing is planned to go wrong."""


@asynccontextmanager
async def owning(
    plan: Callable[[Stand], None] = nothing,
    react: React | None = None,
    commit: CommitPolicy | None = None,
) -> AsyncIterator[Owning]:
    """A member of the group to which two partitions were assigned."""
    stand = Stand(react, partitions=2, numbers=Numbers(commit=commit or CommitPolicy(revoke=5)))
    plan(stand)
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        await stand.source.start(ownership.assigned, ownership.revoked)
        await settle_down()
        yield Owning(stand, ownership)
        ownership.abandon()


async def test_the_callback_only_notes_what_was_assigned() -> None:
    """No heartbeat runs while it lasts, so the partitions are taken in tasks of their own."""
    stand = Stand(partitions=2)
    stand.source.script.hold("standing")
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        assert not ownership.joined
        ownership.assigned((FIRST, SECOND))
        assert ownership.joined
        assert [holding.tenure.phase for holding in ownership] == [Phase.RESTORING] * 2
        assert len(ownership) == 2
        ownership.abandon()


async def test_a_partition_is_read_from_its_committed_offset() -> None:
    """Where nothing is committed, from where the start policy says."""

    def plan(stand: Stand) -> None:
        stand.cluster.skip(FIRST, 100)
        stand.source.group.committed[FIRST] = Offset(70)
        stand.cluster.skip(SECOND, 100)
        stand.cluster.delete(SECOND, below=30)

    async with owning(plan) as o:
        first, second = o.holding(FIRST).tenure, o.holding(SECOND).tenure
        assert (first.phase, second.phase) == (Phase.LIVE, Phase.LIVE)
        assert (first.offsets.position, second.offsets.position) == (70, 30)
        assert (first.continued, second.continued) == (True, False)
        assert (first.claim, second.claim) == (Claim(1, o.stand.owner),) * 2


async def test_taking_that_fails_is_tried_again() -> None:
    """The other partitions do not wait for it."""

    def plan(stand: Stand) -> None:
        stand.source.script.fail("standing", KafkaFailed("no coordinator"))
        stand.source.script.fail("place", KafkaFailed("no leader"))

    async with owning(plan) as o:
        phases = sorted(holding.tenure.phase for holding in o.ownership)
        assert phases.count(Phase.RESTORING) >= 1
        await o.stand.until(lambda: all(holding.tenure.live for holding in o.ownership))
        assert o.stand.log.events("warning") == ["taking a partition failed, trying again"] * 2


async def test_taking_that_is_refused_ends_the_engine() -> None:
    """An offset that is gone, or rights that are missing, need a person."""

    async def take() -> None:
        def plan(stand: Stand) -> None:
            stand.source.group.committed[FIRST] = Offset(70)

        async with owning(plan):
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await take()
    assert caught.group_contains(KafkaRefused, match="out of range")


async def test_giving_back_publishes_settles_and_commits_what_is_done() -> None:
    """What is under way to the brokers is waited for, and committed before the callback returns."""
    async with owning() as o:
        o.stand.sink.hold()
        o.settle(FIRST)
        o.settle(SECOND)
        await settle_down()
        revoking = asyncio.create_task(o.revoke())
        await settle_down()
        assert not revoking.done()
        assert [h.tenure.phase for h in o.ownership] == [Phase.SUSPENDED] * 2
        o.stand.sink.release()
        await revoking
        assert o.stand.source.group.committed == {FIRST: 1, SECOND: 1}


async def test_giving_back_gives_streams_up_without_a_half_close() -> None:
    """That would cut an utterance in two; the next owner hears the audio again."""
    async with owning() as o:
        o.speak(3)
        await asyncio.sleep(1)
        await o.revoke()
        o.ownership.assigned(())
        await settle_down()
        [stream] = o.stand.api.streams
        assert stream.cancelled
        assert not stream.half_closed
        assert o.stand.committed() == 8, "what was judged, and no more"


async def test_lost_partitions_commit_nothing() -> None:
    """They may have another owner by now."""
    async with owning() as o:
        o.settle()
        await settle_down()
        before = o.stand.source.script.calls.count("commit")
        await o.revoke(lost=True)
        assert o.stand.source.group.committed == {FIRST: 0, SECOND: 0}
        assert o.stand.source.script.calls.count("commit") == before


async def test_a_commit_of_a_partition_that_is_not_ours_is_not_tried() -> None:
    """What was settled of a tenure that has ended stays uncommitted."""
    async with owning() as o:
        holding = o.holding()
        o.settle()
        await settle_down()
        await o.revoke(lost=True)
        await o.ownership.commit([holding])
        assert o.stand.source.group.committed == {FIRST: 0, SECOND: 0}


async def test_a_settle_that_comes_after_the_loss_does_nothing() -> None:
    """Not even when the partition comes back to us."""
    async with owning() as o:
        old = o.holding().tenure
        o.settle()
        o.stand.sink.hold()
        await settle_down()
        await o.revoke(lost=True)
        o.stand.source.group.commit(FIRST, Standing(Offset(0), Claim(9, "another")))
        o.ownership.assigned((FIRST,))
        await settle_down()
        o.stand.sink.release()
        await settle_down()
        assert old.offsets.watermark == 0
        assert o.holding().tenure is not old
        assert o.holding().tenure.commitable is None


async def test_giving_back_ends_within_its_budget() -> None:
    """Brokers that do not acknowledge hold the group up no longer than that."""
    async with owning() as o:
        o.stand.sink.hold()
        o.settle()
        begun = o.stand.clock.monotonic()
        await o.revoke()
        assert o.stand.clock.monotonic() - begun <= 5
        assert o.stand.committed() == 0
        assert "giving back took too long, the rest is read again" in o.stand.log.events("warning")


async def test_a_partition_that_can_not_publish_does_not_keep_others_from_committing() -> None:
    """What was acknowledged is committed within the budget, even when some is not."""
    async with owning() as o:
        o.settle(SECOND)
        await settle_down()
        o.stand.sink.hold()
        o.settle(FIRST)
        await o.revoke()
        assert o.stand.source.group.committed == {FIRST: 0, SECOND: 1}


async def test_a_last_commit_that_fails_is_said_and_nothing_more() -> None:
    """The callback must not raise: the rest is simply read again."""
    async with owning() as o:
        o.settle()
        await settle_down()
        o.stand.source.script.fail("commit", KafkaFailed("no coordinator"))
        await o.revoke()
        assert o.stand.committed() == 0
        warnings = o.stand.log.events("warning")
        assert "the last commit failed, the rest is read again" in warnings
        assert o.stand.metrics.values["commit_failures"] == 1


async def test_a_last_commit_that_hangs_ends_within_the_budget() -> None:
    """A coordinator that does not answer holds nobody up."""
    async with owning() as o:
        o.settle()
        await settle_down()
        o.stand.source.script.hold("commit")
        begun = o.stand.clock.monotonic()
        await o.revoke()
        assert o.stand.clock.monotonic() - begun <= 5


async def test_giving_back_while_taking_ends_the_taking() -> None:
    """A newer assignment cancels it; nothing of it is left."""

    def plan(stand: Stand) -> None:
        stand.source.script.hold("standing")

    async with owning(plan) as o:
        before = {task.get_name() for task in asyncio.all_tasks()}
        assert "take calls/0" in before
        await o.revoke()
        await settle_down()
        after = {task.get_name() for task in asyncio.all_tasks()}
        assert not {"take calls/0", "outlet calls/0"} & after
        assert "commit" not in o.stand.source.script.calls
        assert not len(o.ownership)


async def test_nothing_new_is_committed_twice() -> None:
    """An offset that is committed already is not sent again."""
    async with owning() as o:
        o.settle()
        await settle_down()
        claims = o.stand.source.script.calls.count("commit")
        await o.ownership.commit(list(o.ownership))
        await o.ownership.commit(list(o.ownership))
        assert o.stand.source.script.calls.count("commit") == claims + 1
        assert o.stand.metrics.values["commits"] == 1


async def test_a_partition_that_comes_back_untouched_goes_on() -> None:
    """With its streams, its sessions and its position."""
    async with owning() as o:
        o.speak(3)
        await asyncio.sleep(1)
        old = o.holding()
        await o.stand.source.group.rebalance()
        await settle_down()
        assert o.holding() is old
        assert old.tenure.live
        assert not o.stand.api.streams[0].cancelled
        assert o.stand.metrics.values["partitions_kept"] == 2
        progress = o.stand.source.script.calls.count("commit")
        assert progress == 3, "two claims and one hand-over"


async def test_a_partition_that_another_has_had_begins_anew() -> None:
    """What is in memory may be behind what the other has done."""
    async with owning() as o:
        o.speak(3)
        await asyncio.sleep(1)
        old = o.holding()
        await o.revoke()
        o.stand.source.group.commit(FIRST, Standing(Offset(4), Claim(2, "another")))
        o.stand.source.receive([FIRST, SECOND])
        await settle_down()
        assert o.holding() is not old
        assert o.holding().tenure.claim == Claim(3, o.stand.owner)
        assert o.stand.api.streams[0].cancelled


async def test_brokers_that_keep_no_claims_make_every_assignment_a_new_one() -> None:
    """Nobody can tell then who has had the partition meanwhile."""

    def plan(stand: Stand) -> None:
        stand.source.group.keeps_claims = False

    async with owning(plan) as o:
        o.speak(3)
        await asyncio.sleep(1)
        old = o.holding()
        assert old.tenure.claim is None
        await o.stand.source.group.rebalance()
        await settle_down()
        assert o.holding() is not old
        assert len(o.holding().dispatcher) == 0
        assert o.stand.written(CHECKPOINTS) == []


async def test_an_offset_that_a_person_has_set_begins_anew() -> None:
    """Then what earlier owners have left is not of these records."""
    async with owning() as o:
        o.speak(3)
        await asyncio.sleep(1)
        await o.ownership.commit(list(o.ownership))
        await o.revoke()
        o.stand.source.group.commit(FIRST, Standing(Offset(0)))
        o.stand.source.receive([FIRST, SECOND])
        await settle_down()
        tenure = o.holding().tenure
        assert tenure.claim == Claim(2, o.stand.owner), "above what the checkpoints tell of"
        assert tenure.continued
        assert len(o.holding().dispatcher) == 0
