"""The order in which a partition is taken is what keeps two owners apart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumer.core.claim import Claim, Standing
from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.engine.replayer import Replayer
from consumer.engine.taking import take
from consumer.errors import KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition
from tests.engine.stand import CALLS, CHECKPOINTS, Stand, virtual_time

pytestmark = virtual_time

FIRST = Partition(CALLS, 0)


@asynccontextmanager
async def taking(*, exactly_once: bool = True) -> AsyncIterator[tuple[Stand, Kit, Holding]]:
    """A member of the group that has not taken anything yet."""
    stand = Stand(exactly_once=exactly_once)
    async with stand.kitted() as kit:
        await stand.source.start(lambda _: None, _nobody)
        holding = Holding(FIRST, kit, Replayer(kit))
        yield stand, kit, holding
        holding.close()


async def _nobody(_partitions: object, _lost: bool) -> None:
    """Nobody listens."""


async def test_the_predecessor_is_kept_out_before_anything_is_read() -> None:
    """Else it could commit after that, and what it has published would be published again."""
    async with taking() as (stand, kit, holding):
        order: list[str] = []
        note = order.append
        start, standing = holding.writer.start, stand.source.standing
        read, vouch = stand.checkpoints.read, stand.source.vouch

        async def started() -> None:
            note("keep out")
            await start()

        async def looked(partition: Partition) -> Standing | None:
            note("look")
            return await standing(partition)

        async def vouched() -> None:
            note("vouch")
            await vouch()

        async def restored(number: int):  # type: ignore[no-untyped-def] # as the fake does
            note("restore")
            return await read(number)

        holding.writer.start = started  # type: ignore[method-assign] # a look over the shoulder
        stand.source.standing = looked  # type: ignore[method-assign] # a look over the shoulder
        stand.source.vouch = vouched  # type: ignore[method-assign] # a look over the shoulder
        stand.checkpoints.read = restored  # type: ignore[method-assign] # a look over the shoulder
        await take(holding, kit)
        assert order == ["vouch", "keep out", "look", "look", "restore"]
        assert holding.tenure.live


async def test_who_is_not_in_the_group_keeps_nobody_out() -> None:
    """A sleeper that wakes up must not end the transactions of the rightful owner."""
    async with taking() as (stand, kit, holding):
        stand.source.script.fail("vouch", OwnershipLost("not in the group"))
        with pytest.raises(OwnershipLost):
            await take(holding, kit)
        assert stand.transactions.calls == []


async def test_a_claim_that_another_has_overtaken_is_no_claim() -> None:
    """It is read back, and the other one is left in peace."""
    async with taking(exactly_once=False) as (stand, kit, holding):
        commit = stand.source.group.commit

        def overtaken(partition: Partition, standing: Standing) -> None:
            commit(partition, Standing(standing.offset, Claim(7, "another")))

        stand.source.group.commit = overtaken  # type: ignore[method-assign] # another is faster
        with pytest.raises(OwnershipLost, match="new owner"):
            await take(holding, kit)
        assert not holding.tenure.live


async def test_the_epoch_rises_above_all_that_anybody_knows() -> None:
    """Above the claim's, and above the checkpoints', whose claim may have been lost."""
    async with taking(exactly_once=False) as (stand, kit, holding):
        stand.source.group.commit(FIRST, Standing(Offset(0), Claim(4, "another")))
        stand.cluster.append(Partition(CHECKPOINTS, 0), b'{"schema":"checkpoint.v1"}', b"9")
        await take(holding, kit)
        assert holding.tenure.claim == Claim(10, stand.owner)
        assert stand.source.group.claims[FIRST] == Claim(10, stand.owner)


async def test_what_is_no_checkpoint_of_this_version_stops_with_advice() -> None:
    """To guess would lose calls or tell of them twice."""
    async with taking(exactly_once=False) as (stand, kit, holding):
        stand.cluster.append(Partition(CHECKPOINTS, 0), b'{"schema":"checkpoint.v9"}', b"1")
        with pytest.raises(KafkaRefused, match="delete the topic"):
            await take(holding, kit)


async def test_restoring_is_counted() -> None:
    """Records, sessions and seconds, for whoever asks why a takeover is slow."""
    async with taking(exactly_once=False) as (stand, kit, holding):
        stand.cluster.append(Partition(CHECKPOINTS, 0), b'{"schema":"checkpoint.v1"}', b"1")
        await take(holding, kit)
        values = stand.metrics.values
        assert values["restore_records"] == 1
        assert values["partitions_restored"] == 1
        assert values["restore_seconds"] >= 0
        assert holding.tenure.journal is not None
