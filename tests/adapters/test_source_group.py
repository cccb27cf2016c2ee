"""What a source does when the group changes; the same in memory and on a broker."""

import asyncio

import pytest

from consumer.core.claim import Standing
from consumer.errors import OwnershipLost
from consumer.model import Offset, Partition
from tests.adapters.member import PATIENCE_SECONDS, Member, joined
from tests.adapters.worlds import World


async def test_hands_over_within_a_revoke(world: World) -> None:
    """A newcomer goes on where the old owner committed when it was asked to give back.

    A member that stops is not asked: it owns nothing at once, and the others soon have it all.
    """
    partitions = await world.topic(partitions=4)
    topic = partitions[0].topic
    async with joined(world.source(topic, "hand-over")) as old:
        assert old.partitions == set(partitions)
        old.on_revoked = lambda: old.source.commit(dict.fromkeys(partitions, Standing(Offset(0))))
        for partition in partitions:
            await world.put(partition, b"audio")
            await old.begin(partition)
        async with joined(world.source(topic, "hand-over")) as new:
            await old.assignments(2)
            assert [lost for _, lost in old.revoked] == [False]
            assert set(old.revoked[0][0]) == set(partitions)
            assert old.partitions | new.partitions == set(partitions)
            assert len(old.partitions) == len(new.partitions) == 2
            for partition in new.partitions:
                await _check_only_new_owns(old, new, partition)
        assert not new.revoked
        for partition in partitions:
            await _check_owns_nothing(new, partition)
        await old.assignments(3)
        assert old.partitions == set(partitions)


async def _check_owns_nothing(member: Member, partition: Partition) -> None:
    with pytest.raises(OwnershipLost):
        await member.source.commit({partition: Standing(Offset(1))})
    with pytest.raises(OwnershipLost):
        member.source.begin(partition, Offset(0))
    assert member.source.progress(partition) is None


async def _check_only_new_owns(old: Member, new: Member, partition: Partition) -> None:
    await _check_owns_nothing(old, partition)
    assert await new.source.standing(partition) == Standing(Offset(0))
    await new.begin(partition, Offset(0))
    assert [r.value for r in await new.read(1)] == [b"audio"]
    await new.source.commit({partition: Standing(Offset(1))})


async def test_forgets_positions_at_a_rebalance(world: World) -> None:
    """A partition that stays is read no further before it is begun again, and nothing is lost."""
    [partition] = await world.topic()
    async with joined(world.source(partition.topic, "stay")) as member:
        await member.begin(partition)
        await world.put(partition, b"a")
        await member.read(1)
        async with joined(world.source(partition.topic, "stay")) as other:
            await member.assignments(2)
            owner = member if member.partitions else other
            await world.put(partition, b"b")
            assert not await owner.source.poll((), 0.3)
            assert owner.source.progress(partition) is None
            await owner.begin(partition, Offset(1))
            assert [r.value for r in await owner.read(1)] == [b"b"]


async def test_polls_in_time_during_a_rebalance(world: World) -> None:
    """While partitions are being given back a poll yields nothing, and doesn't wait for it."""
    [partition] = await world.topic()
    given_back = asyncio.Event()
    async with joined(world.source(partition.topic, "slow")) as member:
        await member.begin(partition)

        async def give_back() -> None:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await given_back.wait()

        member.on_revoked = give_back
        other = Member(world.source(partition.topic, "slow"))
        joining = asyncio.create_task(other.start())
        await member.revokes(1)
        await world.put(partition, b"late")
        for _ in range(3):
            assert not await member.source.poll((), 0.1)
        await member.source.commit({partition: Standing(Offset(0))})
        given_back.set()
        await joining
        await other.source.stop()


async def test_tells_of_errors_in_what_it_called(world: World) -> None:
    """An error in the engine's callbacks is raised by the next poll instead of being swallowed."""
    [partition] = await world.topic()

    async def stumble() -> None:
        raise LookupError("stumbled")

    async with joined(world.source(partition.topic, "stumble")) as member:
        member.on_revoked = stumble
        async with joined(world.source(partition.topic, "stumble")):
            await member.assignments(2)
            with pytest.raises(LookupError, match="stumbled"):
                await member.source.poll((), 0.1)
            assert not await member.source.poll((), 0.1)


async def test_begins_where_the_options_say(world: World) -> None:
    """Without an offset it may begin at the end, and replace a lost offset by either end."""
    [partition] = await world.topic()
    for _ in range(3):
        await world.put(partition, b"old")
    options = {"start": "latest", "out_of_range": "earliest"}
    async with joined(world.source(partition.topic, "late", **options)) as member:
        assert await member.begin(partition) == 3
        assert await member.begin(partition, Offset(99)) == 0
        assert len(await member.read(3)) == 3
