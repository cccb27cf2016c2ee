"""What is settled is committed at its interval."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumer.core.policy import CommitPolicy
from consumer.engine.committer import commit_for_ever
from consumer.engine.ownership import Ownership
from consumer.engine.replayer import Replayer
from consumer.errors import KafkaFailed, KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition
from tests.engine.props import Numbers
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time

pytestmark = virtual_time

PLACE = Partition(CALLS, 0)


class Committing:
    """A committer at work; `settle` moves the watermark on by one record."""

    def __init__(self, stand: Stand, ownership: Ownership) -> None:
        self.stand = stand
        self.ownership = ownership

    def settle(self) -> None:
        """One more record needs no more work."""
        holding = self.ownership.get(PLACE)
        assert holding is not None
        offsets = holding.tenure.offsets
        lane = offsets.lane()
        offset = offsets.position
        offsets.track(lane, offset)
        offsets.settle(lane, Offset(offset + 1))

    @property
    def commits(self) -> int:
        """Commits that were tried."""
        return self.stand.source.script.calls.count("commit") - 1  # the first is the claim


@asynccontextmanager
async def committing() -> AsyncIterator[Committing]:
    """A committer that commits once a minute."""
    stand = Stand(numbers=Numbers(commit=CommitPolicy(interval=60)))
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        await stand.source.start(ownership.assigned, ownership.revoked)
        kit.spawn(commit_for_ever(kit, ownership), "committer")
        await settle_down()
        yield Committing(stand, ownership)
        ownership.abandon()


async def test_what_is_settled_is_committed_at_the_interval() -> None:
    """Once, with the offset of the next record to read."""
    async with committing() as c:
        c.settle()
        c.settle()
        await asyncio.sleep(59)
        assert c.stand.committed() == 0
        await asyncio.sleep(2)
        assert c.stand.committed() == 2
        assert c.stand.metrics.values["commits"] == 1


async def test_nothing_settled_is_nothing_to_commit() -> None:
    """A quiet partition costs the brokers nothing."""
    async with committing() as c:
        await asyncio.sleep(3600)
        assert c.commits == 0
        c.settle()
        await asyncio.sleep(3600)
        assert c.commits == 1


@pytest.mark.parametrize("failure", [KafkaFailed("timed out"), OwnershipLost("rebalancing")])
async def test_a_commit_that_fails_is_tried_again(failure: KafkaFailed) -> None:
    """At the next interval, with what is settled by then."""
    async with committing() as c:
        c.stand.source.script.fail("commit", failure)
        c.settle()
        await asyncio.sleep(61)
        assert c.stand.committed() == 0
        assert c.stand.log.events("warning") == ["commit failed, trying again"]
        assert c.stand.metrics.values["commit_failures"] == 1
        c.settle()
        await asyncio.sleep(60)
        assert c.stand.committed() == 2


async def test_a_commit_that_is_refused_ends_the_engine() -> None:
    """Without the right to commit everything would be read again for ever."""

    async def commit() -> None:
        async with committing() as c:
            c.stand.source.script.fail("commit", KafkaRefused("not authorised for the group"))
            c.settle()
            await asyncio.sleep(61)

    with pytest.raises(ExceptionGroup) as caught:
        await commit()
    assert caught.group_contains(KafkaRefused, match="not authorised")
