"""Transactions and writes while brokers die: which calls wait, which fail, what is true after."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from tests.kafka.bench import Bench, admin, bench, shown, until
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def three(new_kafka: KafkaFactory) -> Iterator[Cluster]:
    """Three nodes for all tests of this module."""
    with new_kafka(3) as running:
        yield running


@pytest_asyncio.fixture
async def table(three: Cluster) -> AsyncIterator[Bench]:
    """A bench on whole nodes, which are made whole again after the test."""
    yield await bench(three)
    for node in three.nodes:
        node.signal(signal.SIGCONT)
        if not node.running:
            node.start()
    await asyncio.to_thread(three.wait_ready)
    await until(lambda: whole(three), bool)


async def whole(kafka: Cluster) -> bool:
    """Whether every partition has all its copies in sync."""
    async with admin(kafka) as client:
        topics = await client.describe_topics()
    partitions = [partition for topic in topics for partition in topic["partitions"]]
    return all(len(each["isr"]) == len(each["replicas"]) for each in partitions)


Role = Literal["transaction", "group", "leader"]


async def holder(table: Bench, producer: AIOKafkaProducer, role: Role) -> int:
    """The number of the node in this role."""
    if role == "leader":
        leader: int = producer.client.cluster.leader_for_partition(table.output)
        return leader
    return await table.coordinator(role)


@pytest.mark.parametrize(
    ("role", "moment"),
    [
        ("transaction", "commit"),
        ("transaction", "inside"),
        ("group", "offset"),
        ("group", "commit"),
        ("leader", "commit"),
    ],
)
async def test_transaction_survives_the_death_of_a_node(
    three: Cluster, table: Bench, role: Role, moment: str
) -> None:
    """Whoever of three dies, and when, the calls wait for the next one; nothing raises."""
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        await owner.commit_transaction()
        doomed = await holder(table, owner, role)
        await owner.begin_transaction()
        for step in ("record", "offset", "commit"):
            if step == moment:
                three.kill(doomed)
            await take(step, table, owner, three, doomed if moment == "inside" else None)
        await owner.begin_transaction()
        await table.write(owner, b"three", 3)
        await owner.commit_transaction()
    await shown(table, b"one", b"two", b"three")
    await until(table.standing, lambda standing: standing.offset == 3)


async def take(
    step: str, table: Bench, owner: AIOKafkaProducer, three: Cluster, doomed: int | None
) -> None:
    """One step of a transaction. doomed: dies as soon as the commit has been asked for."""
    if step == "record":
        await table.record(owner, b"two")
    elif step == "offset":
        await table.offset(owner, 2)
    else:
        committing = asyncio.ensure_future(owner.commit_transaction())
        if doomed is not None:
            await asyncio.sleep(0)
            three.kill(doomed)
        await committing


async def test_record_is_taken_though_its_transaction_cannot_be_looked_up(
    three: Cluster, table: Bench
) -> None:
    """A leader that can't ask the dead coordinator for the transaction has the record repeated."""
    async with table.producer() as owner:
        await owner.begin_transaction()
        doomed = await table.coordinator("transaction")
        send_later: Any = owner._sender._send_produce_req

        async def send(*arguments: object) -> None:
            if three.node(doomed).running:
                three.kill(doomed)
            await send_later(*arguments)

        owner._sender._send_produce_req = send
        await table.record(owner, b"one")
        await owner.commit_transaction()
    await shown(table, b"one")


async def test_unknown_outcome_is_known_to_the_successor(three: Cluster, table: Bench) -> None:
    """Who gives up a commit that hangs in a frozen node learns later what became of it.

    The start of the successor waits until the transaction has ended one way or the other.
    """
    async with table.producer() as old:
        await old.begin_transaction()
        await table.write(old, b"old", 100)
        frozen = three.node(await table.coordinator("transaction"))
        frozen.signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(old.commit_transaction(), 1.0)
    async with table.producer() as new:
        done = (await table.standing()).offset == 100
        assert await table.values() == ([b"old"] if done else [])
        frozen.signal(signal.SIGCONT)
        await new.begin_transaction()
        await table.write(new, b"new", 101)
        await new.commit_transaction()
    await shown(table, *([b"old", b"new"] if done else [b"new"]))


async def test_wrong_coordinator_seems_to_know_no_offsets(three: Cluster, table: Bench) -> None:
    """Asked for offsets, a node that is not the coordinator answers with none, and nothing raises.

    The library overlooks the answer's error, so a partition that lacks means: ask again.
    """
    async with table.producer() as owner:
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        await owner.commit_transaction()
    await until(table.standing, lambda standing: standing.offset == 1)
    right = await table.coordinator("group")
    wrong = right % 3 + 1
    async with admin(three) as client:
        assert await client.list_consumer_group_offsets(table.group, wrong, [table.input]) == {}


async def test_idempotent_writes_survive_the_death_of_leaders(three: Cluster, table: Bench) -> None:
    """Through two changes of leader every record is written once and in order; none fails."""
    sent = []
    number = 0
    async with AIOKafkaProducer(
        bootstrap_servers=three.bootstrap, enable_idempotence=True, request_timeout_ms=5_000
    ) as producer:
        for _ in range(2):
            for _ in range(300):
                value = b"%d" % number
                sent.append(await producer.send(table.output.topic, value, partition=0))
                number += 1
                if number % 300 == 150:
                    leader = producer.client.cluster.leader_for_partition(table.output)
                    three.kill(leader)
            await asyncio.gather(*sent)
            three.restart(leader)
            await asyncio.to_thread(three.wait_ready)
            await until(lambda: whole(three), bool)
    await shown(table, *(b"%d" % each for each in range(number)))


@pytest.mark.timeout(300)
async def test_commit_and_stop_wait_for_brokers_without_an_end(new_kafka: KafkaFactory) -> None:
    """With all brokers gone neither a commit nor a stop ends; both do when brokers are back.

    So both need a time of ours, and a commit that ran out of it has an unknown outcome.
    """
    with new_kafka() as lone:
        table = await bench(lone)
        owner = table.producer()
        await owner.start()
        await owner.begin_transaction()
        await table.write(owner, b"one", 1)
        lone.kill(1)
        committing = asyncio.ensure_future(owner.commit_transaction())
        assert not (await asyncio.wait([committing], timeout=2.0))[0]
        stopping = asyncio.ensure_future(owner.stop())
        assert not (await asyncio.wait([committing, stopping], timeout=2.0))[0]
        lone.restart(1)
        await asyncio.to_thread(lone.wait_ready)
        await asyncio.wait_for(asyncio.gather(committing, stopping), 200)
        await shown(table, b"one")
