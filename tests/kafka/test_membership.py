"""What a group's coordinator takes from members that are late, gone or doubled."""

import asyncio
import threading
from collections.abc import Collection

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka import errors as foreign
from aiokafka.structs import OffsetAndMetadata

from tests.kafka.bench import Bench, assigned, bench, shown, until
from tests.kafka.cluster import Cluster

pytestmark = pytest.mark.kafka


async def commit(member: AIOKafkaConsumer, table: Bench, offset: int) -> None:
    """Commit the input at this offset."""
    await member.commit({table.input: OffsetAndMetadata(offset, str(offset))})


async def test_plain_commits_carry_metadata(apache_kafka: Cluster) -> None:
    """A member's commit takes metadata; `committed` does not return it, the admin client does."""
    table = await bench(apache_kafka)
    async with table.member() as member:
        await assigned(member, table)
        await commit(member, table, 7)
        assert await member.committed(table.input) == 7
    assert await table.standing() == OffsetAndMetadata(7, "7")


class Sleeper:
    """A member on a thread of its own whose whole event loop can be made to stand still."""

    def __init__(self, table: Bench) -> None:
        self._table = table
        self.asleep = threading.Event()
        self.wake = threading.Event()
        self.thought_it_owned = False
        self.error: Exception | None = None

    async def live(self) -> None:
        """Join, sleep without a heartbeat until woken, then commit as if nothing had been."""
        async with self._table.member() as member:
            await assigned(member, self._table)
            await commit(member, self._table, 1)
            self.asleep.set()
            self.wake.wait(60)  # the whole loop must stand still
            self.thought_it_owned = self._table.input in member.assignment()
            try:
                await commit(member, self._table, 99)
            except foreign.KafkaError as error:
                self.error = error


async def test_sleeper_cannot_commit(apache_kafka: Cluster) -> None:
    """A member that slept through its session still believes it owns, but its commit is refused."""
    table = await bench(apache_kafka)
    sleeper = Sleeper(table)
    sleeping = asyncio.create_task(asyncio.to_thread(asyncio.run, sleeper.live()))
    await asyncio.to_thread(sleeper.asleep.wait, 60)
    async with table.member() as successor:
        await assigned(successor, table)
        await commit(successor, table, 2)
        sleeper.wake.set()
        await sleeping
    assert sleeper.thought_it_owned
    assert isinstance(sleeper.error, foreign.CommitFailedError)
    assert await table.standing() == OffsetAndMetadata(2, "2")


async def test_old_generation_cannot_commit(apache_kafka: Cluster) -> None:
    """A commit with the generation of before the last rebalance is refused."""
    table = await bench(apache_kafka)
    async with table.member() as member:
        await assigned(member, table)
        await commit(member, table, 1)
        member._coordinator.generation -= 1
        with pytest.raises(foreign.CommitFailedError):
            await commit(member, table, 99)
    assert (await table.standing()).offset == 1


async def test_stranger_commits_to_an_empty_group_only(apache_kafka: Cluster) -> None:
    """Who is no member may not commit while there are members, but may when there are none.

    So a member that lost its generation must not commit at all: it would be such a stranger.
    """
    table = await bench(apache_kafka)
    stranger = AIOKafkaConsumer(
        bootstrap_servers=apache_kafka.bootstrap, group_id=table.group, enable_auto_commit=False
    )
    async with stranger:
        stranger.assign([table.input])
        async with table.member() as member:
            await assigned(member, table)
            with pytest.raises(foreign.CommitFailedError):
                await commit(stranger, table, 1)
        await commit(stranger, table, 2)
    assert (await table.standing()).offset == 2


async def test_zombie_that_fences_the_owner_is_stopped_by_its_claim(apache_kafka: Cluster) -> None:
    """A late start of a stale owner costs the rightful one a transaction, and nothing else.

    The stale one's plain commit, its claim, is refused; the rightful one's is taken after it has
    started again, and reads the state that it left.
    """
    table = await bench(apache_kafka)
    async with table.member() as rightful, table.producer() as first:
        await assigned(rightful, table)
        await first.begin_transaction()
        await table.write(first, b"one", 1)
        await first.commit_transaction()
        await first.begin_transaction()
        await table.write(first, b"two", 2)
        stale = AIOKafkaConsumer(
            bootstrap_servers=apache_kafka.bootstrap,
            group_id=table.group,
            enable_auto_commit=False,
        )
        async with stale, table.producer():
            stale.assign([table.input])
            with pytest.raises(foreign.CommitFailedError):
                await commit(stale, table, (await table.standing()).offset)
        with pytest.raises(foreign.ProducerFenced):
            await first.commit_transaction()
        async with table.producer() as again:
            assert (await table.standing()).offset == 1
            await commit(rightful, table, 1)
            await again.begin_transaction()
            await table.write(again, b"two", 2)
            await again.commit_transaction()
    await shown(table, b"one", b"two")
    await until(table.standing, lambda standing: standing.offset == 2)


class CommitsInRevoke(ConsumerRebalanceListener):  # type: ignore[misc] # the library is untyped
    """Commits when its partitions are asked back."""

    member: AIOKafkaConsumer

    def __init__(self, table: Bench) -> None:
        self._table = table
        self.revoked = asyncio.Event()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Commit."""
        if self._table.input in revoked:
            await commit(self.member, self._table, 5)
            self.revoked.set()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Nothing."""


async def test_members_commit_while_a_group_rebalances(apache_kafka: Cluster) -> None:
    """Within the revoke of an orderly rebalance a commit is taken."""
    table = await bench(apache_kafka)
    listener = CommitsInRevoke(table)
    async with table.member(listener) as member:
        listener.member = member
        await assigned(member, table)
        async with table.member():
            await asyncio.wait_for(listener.revoked.wait(), 30)
    assert (await table.standing()).offset == 5


async def test_two_with_one_instance_id_never_agree(apache_kafka: Cluster) -> None:
    """Two members of one static name throw each other out for ever, both believing they own.

    The library does not know the error that should end the older one, and joins again.
    """
    table = await bench(apache_kafka)
    async with (
        table.member(group_instance_id="pod-0") as one,
        table.member(group_instance_id="pod-0") as two,
    ):
        identities: set[str] = set()

        async def joined() -> int:
            identities.update(member._coordinator.member_id for member in (one, two))
            return len(identities)

        await until(joined, lambda number: number > 6)
        assert one.assignment() == two.assignment() == {table.input}
