"""Forgotten records are read again, one pass for all who ask."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from consumer.engine.replayer import Replayer
from consumer.errors import KafkaFailed
from consumer.model import Offset, Partition, Record
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time

pytestmark = virtual_time

FIRST, SECOND = Partition(CALLS, 0), Partition(CALLS, 1)
Found = dict[Offset, Record | None]


@asynccontextmanager
async def replaying() -> AsyncIterator[tuple[Stand, Replayer]]:
    """A replayer over two partitions with a call of eight records each."""
    stand = Stand(partitions=2)
    stand.speak("a", 2, partition=0)
    stand.speak("b", 2, partition=1)
    async with stand.kitted() as kit:
        replayer = Replayer(kit)
        kit.spawn(replayer.run(), "replayer")
        yield stand, replayer


def offsets(*numbers: int) -> tuple[Offset, ...]:
    """Offsets to ask for."""
    return tuple(map(Offset, numbers))


async def test_exactly_what_was_asked_for_is_handed_over() -> None:
    """Every asker gets its own offsets, in order, and nothing else."""
    async with replaying() as (stand, replayer):
        found: list[Mapping[Offset, Record | None]] = []
        replayer.request(FIRST, offsets(1, 2, 6), found.append)
        await settle_down()
        log = stand.cluster.logs[FIRST].records
        assert found == [{Offset(n): log[Offset(n)] for n in (1, 2, 6)}]
        assert list(found[0]) == [1, 2, 6]


async def test_askers_of_one_partition_share_one_pass() -> None:
    """What several sessions wait for is read once, and each gets its part."""
    async with replaying() as (stand, replayer):
        found: list[list[Offset]] = []
        replayer.request(FIRST, offsets(3, 5), lambda records: found.append(list(records)))
        replayer.request(FIRST, offsets(1, 3), lambda records: found.append(list(records)))
        await settle_down()
        assert stand.replay.asked == [(FIRST, offsets(1, 3, 5))]
        assert found == [[3, 5], [1, 3]]


async def test_a_request_that_comes_meanwhile_is_served_next() -> None:
    """An answer may lead to the next question."""
    async with replaying() as (_, replayer):
        found: list[list[Offset]] = []

        def ask_on(records: Mapping[Offset, Record | None]) -> None:
            found.append(list(records))
            replayer.request(FIRST, offsets(2), lambda more: found.append(list(more)))

        replayer.request(FIRST, offsets(1), ask_on)
        await settle_down()
        assert found == [[1], [2]]


async def test_what_retention_has_deleted_comes_back_as_nothing() -> None:
    """The asker must know, so that it does not wait for ever."""
    async with replaying() as (stand, replayer):
        stand.cluster.delete(FIRST, below=2)
        found: Found = {}
        replayer.request(FIRST, offsets(1, 2), found.update)
        await settle_down()
        assert found[Offset(1)] is None
        assert found[Offset(2)] is not None


async def test_reading_that_fails_is_tried_until_it_works() -> None:
    """Without its audio a session can't go on anyway, so nothing is given up."""
    async with replaying() as (stand, replayer):
        stand.replay.script.fail("read", *(KafkaFailed("no leader") for _ in range(5)))
        found: Found = {}
        replayer.request(FIRST, offsets(1), found.update)
        await stand.until(lambda: found)
        assert len(stand.replay.asked) == 6
        assert stand.log.events("warning") == ["reading audio again failed, trying again"] * 5


async def test_a_partition_that_can_not_be_read_does_not_hold_up_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While one partition has no leader, sessions on the others get their audio, and it too when
    it is well again.
    """
    async with replaying() as (stand, replayer):
        works = stand.replay.read
        broken = True
        tries: list[Partition] = []

        async def read(
            partition: Partition, wanted: Sequence[Offset]
        ) -> Mapping[Offset, Record | None]:
            tries.append(partition)
            if broken and partition == FIRST:
                raise KafkaFailed("no leader")
            return await works(partition, wanted)

        monkeypatch.setattr(stand.replay, "read", read)
        first: Found = {}
        second: Found = {}
        replayer.request(FIRST, offsets(1), first.update)
        await stand.until(lambda: len(tries) >= 8)
        replayer.request(SECOND, offsets(1), second.update)
        await settle_down()
        assert second
        assert not first
        assert len(tries) < 20, "failures are followed by pauses"
        broken = False
        await stand.until(lambda: first)
