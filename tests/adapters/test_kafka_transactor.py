"""What only the real transactional writer can go wrong in."""

import asyncio
import gc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from consumer.adapters.kafka.options import KafkaOptions, SinkOptions, TransactionOptions
from consumer.adapters.kafka.transactor import KafkaTransactor
from consumer.core.claim import Claim, Standing
from consumer.errors import KafkaFailed
from consumer.model import Offset, Outgoing, Partition
from tests.adapters.broker import free_port
from tests.adapters.worlds import broker_world
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory

STANDING = Standing(Offset(1), Claim(1, "me"))


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    options = TransactionOptions(group_id="owners", start_seconds=5.0)
    kafka = KafkaOptions(bootstrap_servers=address, request_timeout_seconds=5.0)
    transactor = KafkaTransactor(kafka, SinkOptions(), options, Partition("calls", 0))
    with pytest.raises(KafkaFailed, match=f"in transactions for partition 0 of calls at {address}"):
        await transactor.start()


@pytest.mark.kafka
async def test_being_shut_out_leaves_no_traceback(apache_kafka: Cluster) -> None:
    """What callers were told of is not printed once more when the writer is forgotten."""
    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    async with broker_world(apache_kafka) as world:
        [partition] = await world.topic()
        first, second = (world.transactor(partition, "owners") for _ in range(2))
        await first.start()
        await first.begin()
        await second.start()
        written = await first.send(Outgoing(partition.topic, 0, b"call", b"late"))
        with pytest.raises(KafkaFailed):
            await written
        await first.stop()
        await second.stop()
        del first, second, written
        gc.collect()
        await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.kafka
async def test_ends_in_time_without_brokers(new_kafka: KafkaFactory) -> None:
    """With all brokers gone a commit fails in time, and a stop leaves neither task nor socket."""
    with new_kafka() as kafka:
        async with broker_world(kafka) as world:
            [partition] = await world.topic()
        options = TransactionOptions(group_id="owners", timeout_seconds=3.0)
        quick = replace(kafka.options, stop_timeout_seconds=1.0)
        transactor = KafkaTransactor(quick, SinkOptions(), options, partition)
        before = asyncio.all_tasks()
        await transactor.start()
        await transactor.begin()
        await (await transactor.send(Outgoing(partition.topic, 0, b"call", b"open")))
        await asyncio.to_thread(kafka.kill_all)
        async with asyncio.timeout(10):
            with pytest.raises(KafkaFailed, match="can't commit a transaction for partition 0"):
                await transactor.commit(STANDING)
        async with asyncio.timeout(5):
            await transactor.stop()
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == before
