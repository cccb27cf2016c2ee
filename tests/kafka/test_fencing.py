"""How a second producer with the same transactional id ends the work of the first."""

import asyncio
from typing import Any

import pytest
from aiokafka import errors as foreign
from aiokafka.protocol.transaction import EndTxnRequest

from tests.kafka.bench import Bench, bench, shown, until
from tests.kafka.cluster import Cluster

pytestmark = pytest.mark.kafka


async def open_transaction(table: Bench, producer: Any, value: bytes = b"old") -> None:
    """A transaction with a record and offset 100, left open."""
    await producer.begin_transaction()
    await table.write(producer, value, 100)


async def test_successor_aborts_what_is_open(apache_kafka: Cluster) -> None:
    """When the successor's start returns, the open transaction has ended and nothing is seen."""
    table = await bench(apache_kafka)
    async with table.producer() as old:
        await open_transaction(table, old)
        async with table.producer() as new:
            assert (await table.standing()).offset == -1
            await new.begin_transaction()
            await table.write(new, b"new", 1)
            await new.commit_transaction()
    await shown(table, b"new")


@pytest.mark.parametrize("doing", ["record", "offset", "commit", "abort"])
async def test_fenced_producer_is_told(apache_kafka: Cluster, doing: str) -> None:
    """Whatever the fenced one does next fails, after which it can do nothing more but stop."""
    table = await bench(apache_kafka)
    async with table.producer() as old:
        await open_transaction(table, old)
        async with table.producer():
            steps = {
                "record": lambda: table.record(old, b"late"),
                "offset": lambda: table.offset(old, 101),
                "commit": old.commit_transaction,
                "abort": old.abort_transaction,
            }
            with pytest.raises(foreign.ProducerFenced):
                await steps[doing]()
    # Leaving the block was its stop, which works.
    assert await table.values() == []


async def test_fenced_record_is_not_fatal_at_once(apache_kafka: Cluster) -> None:
    """A record refused for the fence leaves the producer as it was; the commit is refused next."""
    table = await bench(apache_kafka)
    async with table.producer() as old:
        await open_transaction(table, old)
        async with table.producer():
            with pytest.raises(foreign.ProducerFenced):
                await table.record(old, b"late")
            with pytest.raises(foreign.ProducerFenced):
                await old.commit_transaction()


async def test_after_the_end_come_assertions(apache_kafka: Cluster) -> None:
    """After a fatal error the library answers with assertions instead of errors of its own."""
    table = await bench(apache_kafka)
    async with table.producer() as old:
        await open_transaction(table, old)
        async with table.producer():
            with pytest.raises(foreign.ProducerFenced):
                await old.commit_transaction()
            for step in (old.begin_transaction, old.commit_transaction, old.abort_transaction):
                with pytest.raises(AssertionError, match="Invalid state transition"):
                    await step()


async def test_timed_out_transaction_looks_fenced(apache_kafka: Cluster) -> None:
    """A transaction above its time is aborted by the brokers; its producer is told it is fenced."""
    table = await bench(apache_kafka)
    async with table.producer(transaction_timeout_ms=1_000) as slow:
        await open_transaction(table, slow)
        await until(table.end, lambda end: end == 2)  # a record and the marker of its abort
        with pytest.raises(foreign.ProducerFenced):
            await slow.commit_transaction()
    assert (await table.standing()).offset == -1


async def test_too_long_a_timeout_is_refused(apache_kafka: Cluster) -> None:
    """A timeout above the brokers' maximum, 15 minutes by default, fails the start."""
    table = await bench(apache_kafka)
    producer = table.producer(transaction_timeout_ms=10_000_000)
    with pytest.raises(foreign.InvalidTransactionTimeout):
        await producer.start()
    await producer.stop()


class Lossy:
    """Lets the answer to a producer's next commit get lost, and keeps it from asking again."""

    def __init__(self, producer: Any) -> None:
        self.lost = asyncio.Event()
        self.may_ask_again = asyncio.Event()
        self._send = producer.client.send
        producer.client.send = self._send_once

    async def _send_once(self, node: int, request: Any, **options: Any) -> Any:
        answer = await self._send(node, request, **options)
        if isinstance(request, EndTxnRequest) and not self.lost.is_set():
            self.lost.set()
            await self.may_ask_again.wait()
            raise foreign.RequestTimedOutError
        return answer


async def test_commit_whose_answer_was_lost_is_asked_for_again(apache_kafka: Cluster) -> None:
    """The library repeats a commit until it hears of it, and a second time does no harm."""
    table = await bench(apache_kafka)
    async with table.producer() as owner:
        lossy = Lossy(owner)
        await open_transaction(table, owner)
        lossy.may_ask_again.set()
        await owner.commit_transaction()
        assert lossy.lost.is_set()
    await shown(table, b"old")


async def test_fenced_commit_may_have_been_done(apache_kafka: Cluster) -> None:
    """Being fenced in a commit does not say that it failed: only what is durable tells."""
    table = await bench(apache_kafka)
    async with table.producer() as old:
        lossy = Lossy(old)
        await open_transaction(table, old)
        committing = asyncio.ensure_future(old.commit_transaction())
        await lossy.lost.wait()
        async with table.producer():
            lossy.may_ask_again.set()
            with pytest.raises(foreign.ProducerFenced):
                await committing
            await shown(table, b"old")
            assert (await table.standing()).offset == 100


async def race(table: Bench, *, commit_first: bool, lead_seconds: float | None) -> bool:
    """An owner commits while its successor starts; whether the commit held, as both sides say.

    lead_seconds: how long the first has to itself; all it needs when None.
    """
    async with table.producer() as old:
        await open_transaction(table, old)
        new = table.producer()
        steps = [old.commit_transaction, new.start]
        first, second = steps if commit_first else reversed(steps)
        running = [asyncio.ensure_future(first())]
        await asyncio.wait(running, timeout=lead_seconds)
        running.append(asyncio.ensure_future(second()))
        await running[1 if commit_first else 0]
        done: bool = (await table.standing()).offset == 100
        assert await table.values() == ([b"old"] if done else [])
        await asyncio.gather(*running, return_exceptions=True)
        await new.stop()
    return done


async def test_successor_knows_how_the_last_commit_ended(apache_kafka: Cluster) -> None:
    """After its start the offset and the records agree, however far the predecessor's commit got.

    This is what exactly once stands on: first the fence, then the look at the committed offset.
    """
    outcomes = {
        await race(await bench(apache_kafka), commit_first=commit_first, lead_seconds=lead)
        for commit_first in (True, False)
        for lead in (0.0, 0.001, 0.002, 0.004, 0.008, 0.016, None)
    }
    assert outcomes == {True, False}


async def test_producers_of_other_partitions_are_left_alone(apache_kafka: Cluster) -> None:
    """Only the same transactional id fences: owners of other partitions go on."""
    table = await bench(apache_kafka)
    async with table.producer() as one, table.producer(transactional_id=f"{table.group}:b") as two:
        await open_transaction(table, one)
        await open_transaction(table, two, b"two")
        await one.abort_transaction()
        await two.commit_transaction()
    await shown(table, b"two")
