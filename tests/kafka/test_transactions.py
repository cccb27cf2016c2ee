"""What the client library's transactions do on Apache Kafka; see docs/kafka-client-facts.md."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka import errors as foreign
from aiokafka.admin import NewTopic
from aiokafka.structs import OffsetAndMetadata

from tests.kafka.bench import Bench, admin, assigned, bench, shown, until
from tests.kafka.cluster import Cluster

pytestmark = pytest.mark.kafka


async def settled(table: Bench, offset: int) -> OffsetAndMetadata:
    """Wait until the group stands there: markers are written a little after a commit returns."""
    return await until(table.standing, lambda standing: standing.offset == offset)


async def test_commits_records_and_offsets_together(apache_kafka: Cluster) -> None:
    """Until the commit neither record nor offset is seen, then both are, with the metadata."""
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        assert (await table.values(), (await table.standing()).offset) == ([], -1)
        assert await table.values("read_uncommitted") == [b"one"]
        await owner.commit_transaction()
    await shown(table, b"one")
    assert await settled(table, 1) == OffsetAndMetadata(1, "one")


async def test_abort_hides_records_and_offsets(apache_kafka: Cluster) -> None:
    """After an abort neither is ever seen, and the producer goes on."""
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        await owner.abort_transaction()
        await owner.begin_transaction()
        await table.write(owner, b"two", 2)
        await owner.commit_transaction()
    await shown(table, b"two")
    assert await table.values("read_uncommitted") == [b"one", b"two"]
    assert await settled(table, 2) == OffsetAndMetadata(2, "two")


async def test_reads_past_markers(apache_kafka: Cluster) -> None:
    """A reader's position goes over aborted records and markers to the end that it was told.

    For read_committed that end is the last stable offset.
    """
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.record(owner, b"hidden")
        await owner.abort_transaction()
        await owner.begin_transaction()
        await table.record(owner, b"open")
        assert (await table.end(), await table.end("read_uncommitted")) == (2, 3)
        assert await table.values() == []
        await owner.commit_transaction()
    await shown(table, b"open")


async def test_commits_without_a_refused_record(apache_kafka: Cluster) -> None:
    """A record that a broker refuses fails by its future only: the commit goes through without it.

    So whoever commits must have looked at the future of every record of the transaction.
    """
    table = await bench(apache_kafka)
    small = TopicPartition(apache_kafka.fresh("small"), 0)
    async with admin(apache_kafka) as client:
        limit = {"max.message.bytes": "1000"}
        await client.create_topics([NewTopic(small.topic, 1, 1, topic_configs=limit)])
    async with table.producer() as owner:
        await owner.begin_transaction()
        refused = await owner.send(small.topic, bytes(5000), partition=0)
        await table.write(owner, b"one", 1)
        await owner.commit_transaction()
        with pytest.raises(foreign.MessageSizeTooLargeError):
            await refused
    await shown(table, b"one")


async def test_refuses_records_during_a_commit(apache_kafka: Cluster) -> None:
    """A record handed over while a commit runs is refused, so it must wait for the next one."""
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        committing = asyncio.ensure_future(owner.commit_transaction())
        await asyncio.sleep(0)
        with pytest.raises(foreign.IllegalOperation):
            await table.record(owner, b"late")
        await committing
    await shown(table, b"one")


async def test_empty_transactions_cost_nothing(apache_kafka: Cluster) -> None:
    """A transaction without records and offsets ends without a broker being asked."""
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        for _ in range(1000):
            await owner.begin_transaction()
            await owner.commit_transaction()


async def test_later_plain_commit_beats_an_open_transaction(apache_kafka: Cluster) -> None:
    """Of a transactional and a plain commit the one that was *written* last holds.

    A plain commit between a transaction's offset and its end makes that offset void although the
    transaction's records appear. So nobody may commit plainly, not even the same offset with other
    metadata, before the predecessor's transactions have ended.
    """
    table = await bench(apache_kafka)
    async with table.producer() as old, table.member() as member:
        await assigned(member, table)
        await old.begin_transaction()
        await table.write(old, b"old", 100)
        await member.commit({table.input: OffsetAndMetadata(50, "claim")})
        await old.commit_transaction()
        async with table.producer():  # its start ends when the old transaction has ended
            await shown(table, b"old")
            assert await table.standing() == OffsetAndMetadata(50, "claim")


async def test_anybody_may_commit_offsets_in_a_transaction(apache_kafka: Cluster) -> None:
    """Offsets in a transaction are taken from a producer that is no member of the living group."""
    table = await bench(apache_kafka)
    async with table.member() as member, table.producer(transactional_id="nobody") as stranger:
        await assigned(member, table)
        await member.commit({table.input: OffsetAndMetadata(5, "member")})
        await stranger.begin_transaction()
        await table.offset(stranger, 3, "stranger")
        assert (await table.standing()).offset == 5
        await stranger.commit_transaction()
        assert await settled(table, 3) == OffsetAndMetadata(3, "stranger")
