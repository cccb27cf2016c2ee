"""What only the real sink can go wrong in."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import errors as foreign

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import Compression, KafkaOptions, SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.writing import _pass_on
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Outgoing
from tests.adapters.broker import Broker, free_port
from tests.adapters.worlds import AnyBroker, BrokerWorld
from tests.kafka.cluster import Cluster
from tests.kafka.growth import grow


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_writes_every_compression(
    any_broker: AnyBroker, real_world: BrokerWorld, codec: Compression
) -> None:
    """What is compressed on the way out reads back as it was."""
    [partition] = await real_world.topic()
    sink = KafkaSink(any_broker.options, SinkOptions(idempotent=False, compression=codec))
    await sink.start()
    await (await sink.send(Outgoing(partition.topic, 0, b"call", b"{}" * 500)))
    await sink.stop()
    assert [r.value for r in await real_world.contents(partition)] == [b"{}" * 500]


@pytest.mark.broker
async def test_says_which_setting_a_simple_broker_needs(broker: Broker) -> None:
    """A broker that knows no idempotent writing is named together with the setting."""
    sink = KafkaSink(broker.options, SinkOptions(idempotent=True))
    with pytest.raises(KafkaFailed, match=r"kafka\.idempotent off"):
        await sink.start()


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    sink = KafkaSink(KafkaOptions(bootstrap_servers=address), SinkOptions())
    with pytest.raises(KafkaFailed, match=address):
        await sink.start()


@pytest.mark.broker
async def test_fails_what_an_outage_outlasts(lone_broker: Broker) -> None:
    """A record that can't be written in time fails by its future; later ones pass again."""
    kafka = replace(lone_broker.options, request_timeout_seconds=1.0)
    sink = KafkaSink(kafka, SinkOptions(idempotent=False))
    record = Outgoing("out", 0, b"call", b"{}")
    await sink.start()
    await (await sink.send(record))
    lone_broker.stop()
    with pytest.raises(KafkaFailed):
        await (await sink.send(record))
    lone_broker.start()
    await (await sink.send(record))
    await sink.stop()


async def test_starts_anew_when_its_work_has_ended_for_good(real_world: BrokerWorld) -> None:
    """After an error that ends the library's sender, records fail once and then pass again."""
    [partition] = await real_world.topic()
    sink = real_world.sink()
    record = Outgoing(partition.topic, 0, b"call", b"{}")
    await sink.start()
    sender: Any = sink._producer._sender  # type: ignore[attr-defined] # the real one has it

    async def fence(*_: object) -> None:
        raise foreign.OutOfOrderSequenceNumber

    sender._maybe_wait_for_pid = fence
    sent = [await sink.send(record) for _ in range(2)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert KafkaFailed in map(type, outcomes)
    await (await sink.send(record))
    await sink.stop()
    assert await real_world.contents(partition)


@pytest.mark.kafka
async def test_writes_to_a_partition_that_the_topic_has_gained(apache_kafka: Cluster) -> None:
    """Though the brokers told of another number before, and are asked again only in an hour."""
    kafka = replace(apache_kafka.options, refresh_seconds=3600.0)
    topic = apache_kafka.fresh("out")
    await make_topic(kafka, topic, 1)
    sink = KafkaSink(kafka, SinkOptions())
    await sink.start()
    try:
        await (await sink.send(Outgoing(topic, 0, b"call", b"{}")))
        await grow(apache_kafka, [topic], 2)
        await (await sink.send(Outgoing(topic, 1, b"call", b"{}")))
        with pytest.raises(KafkaRefused, match=f"{topic} has no partition 2; it needs as many"):
            await (await sink.send(Outgoing(topic, 2, b"call", b"{}")))
    finally:
        await sink.stop()


async def test_a_failure_that_nobody_waits_for_is_no_traceback() -> None:
    """Who has given a write up does not care any more how it ends."""
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, what: complaints.append(what))
    sent: asyncio.Future[object] = loop.create_future()
    written: asyncio.Future[None] = loop.create_future()
    written.cancel()
    sent.set_exception(foreign.TopicAuthorizationFailedError("out"))
    _pass_on(sent, written, Outgoing("out", 0, b"call", b"{}"))
    del sent
    assert complaints == []
