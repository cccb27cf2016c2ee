"""The end of a partition is found where asking for it gives another."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.ends import fetched_end
from consumer.adapters.kafka.fresh import make_topic
from consumer.model import Offset, Partition
from tests.adapters.worlds import AnyBroker


@pytest.mark.parametrize("at", [0, 1, 7, 10])
async def test_finds_the_end_behind_a_batch(any_broker: AnyBroker, at: int) -> None:
    """The end lies behind the last record of the newest batch, from wherever it is looked for."""
    partition = Partition(any_broker.fresh("ends"), 0)
    await make_topic(any_broker.options, partition.topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=any_broker.address, linger_ms=50) as producer:
        sends = [await producer.send(partition.topic, b"x", partition=0) for _ in range(10)]
        await asyncio.gather(*sends)
    assert await fetched_end(any_broker.options, partition, Offset(at)) == 10
