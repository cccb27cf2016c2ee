"""How things stand, in numbers and in words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from consumer.codec.records import decode_chunk
from consumer.core.policy import FlowPolicy
from consumer.engine.ownership import Ownership
from consumer.engine.progress import show_partitions
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Phase, Tenure
from consumer.engine.watchdog import Watchdog
from consumer.errors import Fault
from consumer.model import Offset, Partition, SessionKey
from tests.engine.props import Numbers, React
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time

pytestmark = virtual_time

FIRST, SECOND = Partition(CALLS, 0), Partition(CALLS, 1)


class Watching:
    """A watchdog over two partitions that nobody polls."""

    def __init__(self, stand: Stand, ownership: Ownership, watchdog: Watchdog) -> None:
        self.stand = stand
        self.ownership = ownership
        self.watchdog = watchdog

    def tenure(self, partition: Partition = FIRST) -> Tenure:
        """The tenure of a partition."""
        holding = self.ownership.get(partition)
        assert holding is not None
        return holding.tenure

    def gauge(self, name: str) -> float:
        """A gauge's value."""
        return {str(key): value for key, value in self.stand.metrics.values.items()}[name]

    def hear(self, key: str, seconds: float) -> None:
        """A caller speaks and is routed."""
        holding = self.ownership.get(FIRST)
        assert holding is not None
        for record in self.stand.speak(key, seconds):
            chunk = decode_chunk(record, self.stand.defaults)
            holding.dispatcher.route(record, chunk, self.stand.clock.wall_ms())


@asynccontextmanager
async def watching(react: React | None = None) -> AsyncIterator[Watching]:
    """A watchdog at work; both partitions are live."""
    flow = FlowPolicy(unsettled=100_000)
    stand = Stand(react, partitions=2, numbers=Numbers(flow=flow))
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        watchdog = Watchdog(kit, ownership)
        await stand.source.start(ownership.assigned, ownership.revoked)
        kit.spawn(watchdog.run(), "watchdog")
        await settle_down()
        yield Watching(stand, ownership, watchdog)
        await ownership.revoked((FIRST, SECOND), True)


async def test_partitions_sessions_and_streams_are_counted() -> None:
    """As they are now."""
    async with watching() as w:
        w.hear("a", 3)
        w.hear("b", 3)
        await asyncio.sleep(1.5)
        assert w.gauge("partitions_owned") == 2
        assert w.gauge("partitions_left_out") == 0
        assert w.gauge("sessions_live") == 2
        assert w.gauge("streams_open") == 2
        assert w.gauge("unsettled_records") == 8
        w.tenure(SECOND).phase = Phase.STOPPED
        await asyncio.sleep(1.5)
        assert w.gauge("partitions_left_out") == 1
        assert w.gauge("partitions_stopped") == 1
        await w.ownership.revoked((FIRST, SECOND), True)
        w.ownership.assigned(())
        await asyncio.sleep(1.5)
        assert w.gauge("partitions_owned") == 0
        assert w.gauge("sessions_live") == 0


async def test_held_bytes_are_those_in_memory() -> None:
    """What the sessions hold, together."""
    async with watching(lambda _: None) as w:
        w.hear("a", 1)
        w.hear("b", 2)
        await asyncio.sleep(1.5)
        assert w.gauge("held_bytes") == 600


async def test_lag_is_what_lies_before_us() -> None:
    """The ends of the partitions minus our positions, as the last fetch saw them."""
    async with watching() as w:
        w.stand.speak("a", 5, partition=0)
        w.stand.speak("b", 5, partition=1)
        w.stand.source.limit = 5
        await w.stand.source.poll((), 0.1)
        await asyncio.sleep(1.5)
        assert w.gauge("lag_records") == 30
        await w.stand.source.poll((FIRST,), 0.1)
        await asyncio.sleep(1.5)
        assert w.gauge("lag_records") == 25
        metrics = w.stand.metrics
        assert metrics.series["lag_records"] == {("0",): 15, ("1",): 10}
        assert metrics.series["position_offset"] == {("0",): 0, ("1",): 0}
        assert metrics.series["committed_offset"] == {("0",): 0, ("1",): 0}
        first, second = w.watchdog.partitions
        show_partitions(metrics, [replace(first, committed=None), second])
        assert metrics.series["committed_offset"] == {("1",): 0}, "what nobody knows is not 0"
        assert metrics.series["partition_state"] == {("0", "live"): 1, ("1", "live"): 1}


async def test_lag_in_seconds_is_the_age_of_what_was_taken_last() -> None:
    """While there is more; nobody who has read everything is behind, however quiet it is."""
    async with watching() as w:
        w.stand.source.limit = 5
        w.hear("a", 3)
        await w.stand.source.poll((), 0.1)
        await asyncio.sleep(10.5)
        assert w.gauge("lag_records") == 7
        assert w.gauge("lag_seconds") == pytest.approx(10, abs=0.6)
        for _ in range(2):
            await w.stand.source.poll((), 0.1)
        await asyncio.sleep(10)
        assert w.gauge("lag_records") == 0
        assert w.gauge("lag_seconds") == 0


async def test_age_is_how_long_the_oldest_unsettled_record_has_waited() -> None:
    """It grows while that record waits, whatever comes and settles behind it."""
    async with watching() as w:
        offsets = w.tenure().offsets
        slow, quick = offsets.lane(), offsets.lane()
        await asyncio.sleep(1.5)
        assert w.gauge("oldest_unsettled_seconds") == 0
        offsets.track(slow, Offset(0))
        for _ in range(100):
            await asyncio.sleep(1)
            offsets.track(quick, offsets.position)
            offsets.settle(quick, offsets.position)
        assert 98 <= w.gauge("oldest_unsettled_seconds") <= 101
        offsets.settle(slow, Offset(1))
        await asyncio.sleep(1)
        assert w.gauge("oldest_unsettled_seconds") == 0


async def test_age_does_not_lose_count_in_a_long_outage() -> None:
    """Hours with a record every second are told as hours, with bounded memory."""
    async with watching() as w:
        offsets = w.tenure().offsets
        lane = offsets.lane()
        for _ in range(7200):
            offsets.track(lane, offsets.position)
            await asyncio.sleep(1)
        assert 7150 <= w.gauge("oldest_unsettled_seconds") <= 7201
        offsets.settle(lane, Offset(7000))
        await asyncio.sleep(1)
        assert 190 <= w.gauge("oldest_unsettled_seconds") <= 260


async def test_alive_means_that_the_poll_loop_turns() -> None:
    """A minute without a turn is too long; before the first there is nothing that stands still."""
    async with watching() as w:
        await asyncio.sleep(300)
        assert w.watchdog.alive, "joining the group has a patience of its own"
        w.watchdog.polled()
        await asyncio.sleep(59)
        assert w.watchdog.alive
        await asyncio.sleep(2)
        assert not w.watchdog.alive
        w.watchdog.polled()
        assert w.watchdog.alive


async def test_a_poll_loop_that_stands_still_is_not_alive() -> None:
    """Whatever else still works; and when it turns again it is."""
    stand = Stand()
    async with stand.running():
        stand.speak(seconds=2)
        await asyncio.sleep(120)
        assert stand.engine.watchdog.alive
        gate = stand.source.script.hold("poll")
        await asyncio.sleep(120)
        assert not stand.engine.watchdog.alive
        gate.set()
        await asyncio.sleep(1)
        assert stand.engine.watchdog.alive


async def test_an_outage_of_the_api_is_a_trouble_and_no_death() -> None:
    """Readiness and a reason, but liveness stays, else every replica would be restarted."""
    async with watching() as w:
        assert w.watchdog.troubles() == []
        now = w.stand.clock.monotonic()
        w.stand.breaker.failed(SessionKey("a"), Fault.SETTINGS, "UNAUTHENTICATED: no", now)
        assert w.watchdog.troubles() == ["the API: UNAUTHENTICATED: no"]
        w.watchdog.polled()
        assert w.watchdog.alive


async def test_partitions_that_are_not_read_are_a_trouble() -> None:
    """While they are taken, when they are stopped, and when too much of them is unsettled."""
    async with watching() as w:
        w.tenure(FIRST).phase = Phase.RESTORING
        w.tenure(SECOND).phase = Phase.STOPPED
        assert w.watchdog.troubles() == ["partition 0 is restoring", "partition 1 is stopped"]
        w.tenure(FIRST).phase = w.tenure(SECOND).phase = Phase.LIVE
        lane = w.tenure().offsets.lane()
        for offset in range(100_000):
            w.tenure().offsets.track(lane, Offset(offset))
        assert w.watchdog.troubles() == ["partition 0 waits: 100000 records are unsettled"]


async def test_before_the_group_lets_us_in_we_are_not_ready() -> None:
    """And a replica that gets no partition is ready all the same."""
    stand = Stand()
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        watchdog = Watchdog(kit, ownership)
        assert watchdog.troubles() == ["the consumer group has not let us in yet"]
        ownership.assigned(())
        assert watchdog.troubles() == []


async def test_each_partition_tells_its_state_and_why() -> None:
    """Whatever keeps a partition has a word and a reason."""
    async with watching() as w:

        async def state(partition: Partition = FIRST) -> tuple[str, str]:
            await asyncio.sleep(1.5)
            [found] = [p for p in w.watchdog.partitions if p.partition == partition.number]
            return found.state, found.reason

        assert await state() == ("live", "")
        w.tenure().fill(1)
        assert await state() == ("held back", "sessions have enough to catch up with")
        w.tenure().fill(-1)
        w.tenure().suspend()
        assert await state() == ("suspended", "the group rebalances")
        w.tenure().resume()
        w.watchdog.draining = True
        assert (await state())[0] == "draining"
        w.watchdog.draining = False
        now = w.stand.clock.monotonic()
        w.stand.breaker.failed(SessionKey("a"), Fault.SETTINGS, "UNAUTHENTICATED: no", now)
        assert await state() == ("parked", "the API: UNAUTHENTICATED: no")


async def test_a_partition_tells_where_it_stands() -> None:
    """Position against end, what is committed, for which epoch, and how long the oldest waits."""
    stand = Stand(lambda _: None)
    async with stand.running():
        stand.speak(seconds=5)
        await asyncio.sleep(5)
        [found] = stand.engine.watchdog.partitions
        assert (found.position, found.end, found.committed, found.epoch) == (20, 20, 0, 1)
        assert (found.sessions, found.unsettled) == (1, 20)
        assert 3 <= found.oldest <= 5
        assert found.still == 0
        stand.hang_up()


async def test_a_partition_that_does_not_move_is_a_trouble_whatever_the_reason() -> None:
    """A stable group and a growing lag: somebody must hear of it."""
    stand = Stand()
    async with stand.running():
        await stand.until(lambda: stand.engine.watchdog.partitions)
        await asyncio.sleep(600)
        assert stand.engine.watchdog.troubles() == [], "nothing to read is no standstill"
        holding = stand.engine.ownership.get(FIRST)
        assert holding is not None
        holding.tenure.fill(1)
        stand.speak(seconds=1)
        await asyncio.sleep(70)
        [trouble] = stand.engine.watchdog.troubles()
        assert trouble.startswith("partition 0 stands still for")
        assert trouble.endswith("held back")
        assert stand.metrics.values["partitions_still"] == 1
        assert stand.log.events("error") == ["partition stands still"]
        holding.tenure.fill(-1)
        await asyncio.sleep(5)
        assert stand.engine.watchdog.troubles() == []
        stand.hang_up()
