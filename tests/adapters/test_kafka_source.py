"""How the real source gets on with its group, in what the fake has no part."""

import asyncio
from typing import Any

import pytest
from aiokafka import errors as foreign

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import member_arguments
from consumer.adapters.kafka.options import KafkaOptions, SourceOptions
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.core.claim import Standing
from consumer.errors import KafkaFailed, KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition
from tests.adapters.broker import Broker, free_port
from tests.adapters.member import PATIENCE_SECONDS, Member, joined
from tests.adapters.worlds import BrokerWorld


def real(member: Member) -> Any:
    """The client library's consumer inside a source."""
    source = member.source
    assert isinstance(source, KafkaSource)
    return source._consumer


async def test_tells_a_loss_from_a_revoke(real_world: BrokerWorld) -> None:
    """When the group has thrown us out, partitions are lost and nothing may be committed."""
    [partition] = await real_world.topic()
    refused: list[bool] = []
    async with joined(real_world.source(partition.topic, "lost")) as member:
        await member.begin(partition)

        async def try_to_commit() -> None:
            with pytest.raises(OwnershipLost):
                await member.source.commit({partition: Standing(Offset(0))})
            refused.append(True)

        member.on_revoked = try_to_commit
        inside.leave_first_generation(real(member))
        await real(member)._coordinator._maybe_leave_group()  # as if others had thrown it out
        await member.revokes(1)
        await member.assignments(2)
        assert [lost for _, lost in member.revoked] == [True]
    assert refused == [True]


async def test_tells_of_errors_in_a_rebalance(real_world: BrokerWorld) -> None:
    """What goes wrong while partitions are being given back is told by the next poll."""
    [partition] = await real_world.topic()
    told = asyncio.Event()
    async with joined(real_world.source(partition.topic, "refused")) as member:

        async def wait_until_told() -> None:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await told.wait()

        member.on_revoked = wait_until_told
        coordinator = real(member)._coordinator
        coordinator.request_rejoin()
        await member.revokes(1)
        taken = coordinator._push_error_to_user(foreign.GroupAuthorizationFailedError("group"))
        with pytest.raises(KafkaRefused, match="grant this user Read on the consumer group"):
            await member.source.poll((), 0.1)
        await taken
        assert not await member.source.poll((), 0.1)
        told.set()
        await member.assignments(2)


@pytest.mark.broker
async def test_comes_back_after_the_brokers_do(lone_broker: Broker) -> None:
    """Brokers that go and come back empty cost the partitions, not the source."""
    kafka = lone_broker.options
    partition = Partition("audio", 0)
    options = SourceOptions(
        topic="audio", group_id="back", session_timeout_seconds=2.0, heartbeat_seconds=0.2
    )
    async with KafkaTopics(kafka) as topics:
        await topics.create(["audio"], partitions=1, copies=1)
    async with joined(KafkaSource(kafka, options)) as member:
        await member.begin(partition)
        lone_broker.stop()
        for _ in range(3):
            assert not await member.source.poll((), 0.1)
        lone_broker.start()
        await member.assignments(2)
        assert len(member.revoked) == 1
        assert await member.begin(partition) == 0


def test_no_two_members_share_an_assignor() -> None:
    """The library keeps what a member had in its assignor's class, so each has its own."""
    options = SourceOptions(topic="audio", group_id="group")
    one, other = (
        member_arguments(KafkaOptions(bootstrap_servers="x"), options)[
            "partition_assignment_strategy"
        ]
        for _ in range(2)
    )
    assert [a.name for a in (*one, *other)] == ["sticky", "sticky"]
    assert one != other


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    kafka = KafkaOptions(bootstrap_servers=address, request_timeout_seconds=5.0)
    source = KafkaSource(kafka, SourceOptions(topic="audio", group_id="nobody"))
    with pytest.raises(KafkaFailed, match=f"can't join the group at {address}"):
        await Member(source).start()


async def test_says_goodbye_to_its_group(
    real_world: BrokerWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """A lone member leaves its group, also where generations are counted from 0."""
    [partition] = await real_world.topic()
    async with joined(real_world.source(partition.topic, "goodbye")) as member:
        assert real(member)._coordinator.generation in {0, 1}
        caplog.set_level("INFO", "aiokafka")
    assert "LeaveGroup request succeeded" in caplog.messages
