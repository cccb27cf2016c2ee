"""What only the real source can go wrong in while it reads."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka import errors as foreign

from consumer.adapters.kafka.source import KafkaSource
from consumer.errors import KafkaFailed, KafkaRefused
from consumer.model import Offset
from tests.adapters.conftest import BROKERS
from tests.adapters.desk import Desk, desk_in
from tests.adapters.worlds import AnyBroker, broker_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=BROKERS)
def any_broker(request: pytest.FixtureRequest) -> AnyBroker:
    """The embedded broker, then Apache Kafka."""
    running: AnyBroker = request.getfixturevalue(request.param)
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(any_broker: AnyBroker) -> AsyncIterator[Desk]:
    """One member for all tests of this module."""
    async with broker_world(any_broker) as world, desk_in(world) as shared:
        yield shared


@pytest.fixture
def source(desk: Desk) -> KafkaSource:
    """The real source at the desk."""
    assert isinstance(desk.member.source, KafkaSource)
    return desk.member.source


async def test_reads_every_compression(any_broker: AnyBroker, desk: Desk) -> None:
    """A topic is read whatever its producers compress with, even in turns."""
    partition = await desk.filled()
    codecs = ("gzip", "snappy", "lz4", "zstd", None)
    for codec in codecs:
        address = any_broker.address
        async with AIOKafkaProducer(bootstrap_servers=address, compression_type=codec) as writer:
            value = f"{codec}".encode() * 2000
            await writer.send_and_wait(partition.topic, value, partition=partition.number)
    await desk.member.begin(partition)
    records = await desk.member.read(len(codecs))
    assert [r.value for r in records] == [f"{codec}".encode() * 2000 for codec in codecs]


async def test_loses_nothing_in_a_poll_that_fails(
    desk: Desk, source: KafkaSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that the library had read before it failed are handed out by the next poll."""
    partition = await desk.filled(b"a")
    await desk.member.begin(partition)
    getmany = source._consumer.getmany

    async def fail_after_reading(*places: object, **options: object) -> Mapping[Any, Any]:
        if await getmany(*places, **options):
            raise foreign.CorruptRecordException("broken")
        return {}

    monkeypatch.setattr(source._consumer, "getmany", fail_after_reading)
    with pytest.raises(KafkaFailed, match="broken"):
        await desk.member.read(1)
    monkeypatch.undo()
    assert [r.value for r in await desk.member.read(1)] == [b"a"]


@pytest.mark.parametrize("choice", ["stop", "latest"])
async def test_goes_on_as_told_when_retention_overtakes_reading(
    desk: Desk,
    source: KafkaSource,
    monkeypatch: pytest.MonkeyPatch,
    choice: Literal["stop", "latest"],
) -> None:
    """An offset that vanished while it was to be read stops reading, or moves it, by option."""
    partition = await desk.filled()
    place = TopicPartition(*partition)

    async def vanish(*_: object, **__: object) -> Mapping[Any, Any]:
        raise foreign.OffsetOutOfRangeError({place: 0})

    async def first(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {place: 5}

    async def end(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {place: 9}

    await desk.member.begin(partition)
    monkeypatch.setattr(source, "_options", replace(source._options, out_of_range=choice))
    monkeypatch.setattr(source._consumer, "beginning_offsets", first)
    monkeypatch.setattr(source._consumer, "end_offsets", end)
    monkeypatch.setattr(source._consumer, "getmany", vanish)
    if choice == "stop":
        with pytest.raises(KafkaRefused, match="retention deleted it"):
            await source.poll((), 0.1)
    else:
        assert not await source.poll((), 0.1)
    assert await source._consumer.position(place) == (0 if choice == "stop" else 9)
    monkeypatch.undo()
    await desk.member.begin(partition, Offset(0))


async def test_refuses_a_record_larger_than_a_fetch(
    desk: Desk, source: KafkaSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that the library would pass over stops the reading, and is not passed over."""
    partition = await desk.filled(b"large")
    place = TopicPartition(*partition)
    await desk.member.begin(partition)

    async def pass_over(*_: object, **__: object) -> Mapping[Any, Any]:
        source._consumer.seek(place, 1)
        raise foreign.RecordTooLargeError("%s=%s", place, 0)

    monkeypatch.setattr(source._consumer, "getmany", pass_over)
    with pytest.raises(KafkaRefused, match="fetch bytes"):
        await source.poll((), 0.1)
    monkeypatch.undo()
    assert [r.value for r in await desk.member.read(1)] == [b"large"]


async def test_says_when_fetching_has_died(source: KafkaSource) -> None:
    """A library whose background work has ended is an error, not an eternal silence."""
    source._consumer._fetcher._fetch_task.cancel()
    await asyncio.sleep(0)
    with pytest.raises(KafkaFailed, match="has ended"):
        await source.poll((), 0.1)
