"""How the second reader goes through a partition with holes in it, and when it gives up.

The embedded broker deletes and compacts nothing, so the library's consumer is stood in for here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka import errors as foreign

from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.adapters.kafka.replay import KafkaReplay
from consumer.errors import KafkaFailed
from consumer.model import Offset, Partition
from tests.adapters.broker import free_port
from tests.fakes.cluster import FakeCluster, PartitionLog

PLACE = Partition("audio", 0)


@dataclass
class LogConsumer:
    """The library's consumer, reading a log in memory, a few records at a time."""

    log: PartitionLog
    at: int = -1
    seeks: list[int] = field(default_factory=list)
    sweeps: int = 0
    error: Exception | None = None

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self.sweeps += 1

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.seeks.append(offset)
        self.at = offset

    def pause(self, place: TopicPartition) -> None:
        self.at = -1

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> Mapping[Any, int]:
        return {places[0]: self.log.first}

    async def end_offsets(self, places: Sequence[TopicPartition]) -> Mapping[Any, int]:
        return {places[0]: self.log.end}

    async def position(self, place: TopicPartition) -> int:
        return self.at

    async def getmany(self, place: TopicPartition, timeout_ms: int) -> Mapping[Any, Any]:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        records, self.at = self.log.read(Offset(self.at), 10)
        return {place: [SimpleNamespace(**{n: getattr(r, n) for n in NAMES}) for r in records]}

    async def stop(self) -> None:
        """Nothing to stop."""


NAMES = ("offset", "timestamp", "key", "value", "headers")


def reader(consumer: LogConsumer, monkeypatch: pytest.MonkeyPatch) -> KafkaReplay:
    """A replay reader over it."""
    replay = KafkaReplay(KafkaOptions(bootstrap_servers="x"), ReplayOptions(timeout_seconds=0.3))

    async def connected() -> LogConsumer:
        return consumer

    monkeypatch.setattr(replay, "_connected", connected)
    return replay


def filled(records: int) -> FakeCluster:
    """A cluster with so many records."""
    cluster = FakeCluster()
    cluster.create("audio")
    for number in range(records):
        cluster.append(PLACE, b"%d" % number)
    return cluster


def offsets(*numbers: int) -> list[Offset]:
    """Offsets from plain numbers."""
    return [Offset(number) for number in numbers]


async def test_passes_over_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted, compacted and never committed offsets come back as None, all others as records."""
    cluster = filled(40)
    cluster.delete(PLACE, below=5)
    for offset in (7, 12, 13, 39):
        cluster.punch(PLACE, offset)
    cluster.skip(PLACE, 3)
    replay = reader(LogConsumer(cluster.logs[PLACE]), monkeypatch)
    found = await replay.read(PLACE, offsets(1, 4, 5, 6, 7, 12, 13, 14, 39, 40, 42, 99))
    assert [o for o, record in found.items() if record is not None] == [5, 6, 14]
    await replay.stop()


async def test_jumps_over_long_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records far apart are sought, near ones are read through."""
    consumer = LogConsumer(filled(3000).logs[PLACE])
    replay = reader(consumer, monkeypatch)
    found = await replay.read(PLACE, offsets(3, 100, 2500, 2505))
    assert all(found.values())
    assert consumer.seeks == [3, 2500]
    await replay.stop()


async def test_sweeps_once_for_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty sessions that ask while one sweep runs are served by one more."""
    consumer = LogConsumer(filled(500).logs[PLACE])
    replay = reader(consumer, monkeypatch)
    readings = [replay.read(PLACE, offsets(*range(n, 500, 50))) for n in range(50)]
    for found in await asyncio.gather(*readings):
        assert all(found.values())
    assert consumer.sweeps <= 2
    await replay.stop()


async def test_gives_up_in_time_and_works_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that yields nothing fails the reading in time, and not the next one."""
    cluster = filled(1)
    log = cluster.logs[PLACE]
    consumer = LogConsumer(log)
    replay = reader(consumer, monkeypatch)
    held, log.records = log.records, {}
    monkeypatch.setattr(log, "read", lambda position, limit: ([], position))
    with pytest.raises(KafkaFailed, match=r"over 0\.3 s"):
        await replay.read(PLACE, offsets(0))
    monkeypatch.setattr(log, "read", PartitionLog.read.__get__(log))
    log.records = held
    assert all((await replay.read(PLACE, offsets(0))).values())
    await replay.stop()


async def test_tells_everyone_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the library reaches all who wait, as ours, and the next reading connects anew."""
    consumer = LogConsumer(filled(1).logs[PLACE], error=foreign.CorruptRecordException("broken"))
    replay = reader(consumer, monkeypatch)
    readings = [replay.read(PLACE, offsets(0)) for _ in range(2)]
    outcomes = await asyncio.gather(*readings, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [KafkaFailed, KafkaFailed]
    assert "broken" in str(outcomes[0])
    consumer.error = None
    assert all((await replay.read(PLACE, offsets(0))).values())
    await replay.stop()


async def test_stopping_fails_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits when the reader is stopped gets an error instead of waiting on."""
    log = filled(1).logs[PLACE]
    monkeypatch.setattr(log, "read", lambda position, limit: ([], position))
    replay = reader(LogConsumer(log), monkeypatch)
    reading = asyncio.create_task(replay.read(PLACE, offsets(0)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await replay.stop()
    with pytest.raises(KafkaFailed):
        await reading


async def test_names_the_broker_it_cannot_reach() -> None:
    """Nobody listening is said with the address."""
    address = f"127.0.0.1:{free_port()}"
    replay = KafkaReplay(KafkaOptions(bootstrap_servers=address), ReplayOptions())
    with pytest.raises(KafkaFailed, match=address):
        await replay.read(PLACE, offsets(0))
    await replay.stop()
