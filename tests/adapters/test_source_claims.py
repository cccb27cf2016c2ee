"""What a source says of memberships and claims; the same in memory and on a broker."""

import asyncio

import pytest
from aiokafka.protocol.group import LeaveGroupRequest

from consumer.adapters.kafka.source import KafkaSource
from consumer.core.claim import Claim, Standing
from consumer.errors import OwnershipLost
from consumer.model import Offset
from tests.adapters.broker import Broker
from tests.adapters.member import PATIENCE_SECONDS, Member, joined
from tests.adapters.worlds import FakeWorld, World, broker_world
from tests.fakes.source import FakeSource
from tests.kafka.cluster import Cluster

CLAIM = Claim(3, "owner")


async def test_vouches_for_a_member(world: World) -> None:
    """Who is in the group may act, as often as it asks, with and without partitions."""
    [partition] = await world.topic()
    async with (
        joined(world.source(partition.topic, "vouch")) as one,
        joined(world.source(partition.topic, "vouch")) as two,
    ):
        await one.assignments(2)
        assert {len(member.partitions) for member in (one, two)} == {0, 1}
        for member in (one, two, one):
            await member.source.vouch()


async def committed(world: World) -> tuple[Standing | None, Standing | None]:
    """What a member and somebody outside read after a commit with a claim."""
    [partition] = await world.topic()
    async with joined(world.source(partition.topic, "claims")) as member:
        await member.begin(partition)
        await member.source.commit({partition: Standing(Offset(5), CLAIM)})
        inner = await member.source.standing(partition)
    return inner, await world.standing(partition, "claims")


async def test_reads_claims_in_memory() -> None:
    """A claim is kept with its offset, and outlives its member."""
    assert await committed(FakeWorld()) == (Standing(Offset(5), CLAIM),) * 2


@pytest.mark.kafka
async def test_reads_claims_on_apache_kafka(apache_kafka: Cluster) -> None:
    """A claim is kept with its offset, and outlives its member."""
    async with broker_world(apache_kafka) as world:
        assert await committed(world) == (Standing(Offset(5), CLAIM),) * 2


@pytest.mark.broker
async def test_embedded_broker_drops_claims(broker: Broker) -> None:
    """There only the offset is kept, so owners can't be told apart: it is for trying things out."""
    async with broker_world(broker) as world:
        assert await committed(world) == (Standing(Offset(5), None),) * 2


async def test_a_commit_without_a_claim_drops_the_last_one(world: World) -> None:
    """The claim belongs to its commit: it does not stay beside an offset it was not given for."""
    [partition] = await world.topic()
    async with joined(world.source(partition.topic, "dropped")) as member:
        await member.begin(partition)
        await member.source.commit({partition: Standing(Offset(1), CLAIM)})
        await member.source.commit({partition: Standing(Offset(2))})
        assert await member.source.standing(partition) == Standing(Offset(2))


async def test_knows_an_expelled_member_in_memory() -> None:
    """Who was thrown out is told so until it is in the group again."""
    world = FakeWorld()
    [partition] = await world.topic()
    async with joined(world.source(partition.topic, "expelled")) as member:
        source = member.source
        assert isinstance(source, FakeSource)

        async def ask() -> None:
            with pytest.raises(OwnershipLost):
                await source.vouch()

        member.on_revoked = ask
        await source.group.expel(source)
        assert [lost for _, lost in member.revoked] == [True]
        await source.vouch()


async def test_knows_a_stranger_in_memory() -> None:
    """Who has left the group, or never was in it, is nobody to it."""
    world = FakeWorld()
    [partition] = await world.topic()
    source = world.source(partition.topic, "strangers")
    with pytest.raises(OwnershipLost):
        await source.vouch()
    async with joined(source):
        await source.vouch()
    with pytest.raises(OwnershipLost):
        await source.vouch()


@pytest.mark.kafka
async def test_knows_an_expelled_member_on_apache_kafka(apache_kafka: Cluster) -> None:
    """A member that still thinks it is in the group learns from the coordinator that it is not."""
    async with broker_world(apache_kafka) as world:
        [partition] = await world.topic()
        # No heartbeat of its own tells it first.
        quiet = {"session_timeout_seconds": 60.0, "heartbeat_seconds": 20.0}
        async with joined(world.source(partition.topic, "expelled", **quiet)) as member:
            await member.source.vouch()
            await expel(member)
            with pytest.raises(OwnershipLost):
                await member.source.vouch()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await member.assignments(2)
            assert [lost for _, lost in member.revoked] == [True]
            await member.source.vouch()


async def expel(member: Member) -> None:
    """Throw a member out behind its back: somebody leaves the group in its name."""
    source = member.source
    assert isinstance(source, KafkaSource)
    coordinator = source._consumer._coordinator
    await coordinator._send_req(LeaveGroupRequest(coordinator.group_id, coordinator.member_id))
