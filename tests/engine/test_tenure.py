"""One partition while it is ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumer.core.claim import Standing
from consumer.core.policy import FlowPolicy
from consumer.engine.tenure import Phase, Tenure
from consumer.engine.writers import PatientWriter
from consumer.model import Offset, Outgoing, Partition
from tests.engine.props import Numbers
from tests.engine.stand import CALLS, RESULTS, Stand, settle_down, virtual_time

pytestmark = virtual_time

FLOW = FlowPolicy(partition_high=1000, partition_low=500, unsettled=3)


@asynccontextmanager
async def owning() -> AsyncIterator[tuple[Stand, Tenure]]:
    """A tenure that has been taken at offset 10 and publishes."""
    stand = Stand(numbers=Numbers(flow=FLOW))
    async with stand.kitted() as kit:
        tenure = Tenure(Partition(CALLS, 0), kit, PatientWriter(kit, "calls/0"))
        kit.spawn(tenure.outlet.run(), "outlet calls/0")
        tenure.begin(Offset(10), Offset(10))
        yield stand, tenure


def result(size: int = 1) -> Outgoing:
    """Something to publish."""
    return Outgoing(RESULTS, 0, b"call", bytes(size))


async def test_an_offset_settles_after_what_was_published_before() -> None:
    """The watermark stands still until the result is acknowledged."""
    async with owning() as (stand, tenure):
        lane = tenure.offsets.lane()
        tenure.offsets.track(lane, Offset(10))
        stand.sink.hold()
        tenure.put(result())
        tenure.settle(lane, Offset(11))
        done = tenure.seal(())
        await settle_down()
        assert (tenure.offsets.watermark, tenure.commitable) == (10, None)
        assert not done.done()
        stand.sink.release()
        await done
        assert (tenure.offsets.watermark, tenure.commitable) == (11, Standing(Offset(11)))


async def test_the_watermark_is_the_oldest_unsettled_offset() -> None:
    """A session that settles newer records does not move it past an older one."""
    async with owning() as (_, tenure):
        slow, quick = tenure.offsets.lane(), tenure.offsets.lane()
        tenure.offsets.track(slow, Offset(10))
        tenure.offsets.track(quick, Offset(11))
        tenure.settle(quick, Offset(12))
        await tenure.seal(())
        assert tenure.commitable is None
        tenure.settle(slow, Offset(11))
        await tenure.seal(())
        assert tenure.commitable == Standing(Offset(12))


async def test_a_settle_after_the_end_does_nothing() -> None:
    """It is counted, and moves nothing that anybody might commit."""
    async with owning() as (stand, tenure):
        lane = tenure.offsets.lane()
        tenure.offsets.track(lane, Offset(10))
        stand.sink.hold()
        tenure.put(result())
        tenure.settle(lane, Offset(11))
        await settle_down()
        tenure.close()
        stand.sink.release()
        await settle_down()
        assert stand.metrics.values["settle_late"] == 1
        assert tenure.offsets.watermark == 10
        assert tenure.commitable is None


async def test_while_leaving_what_was_published_still_settles() -> None:
    """The hand-over commits what is acknowledged within its budget, but takes no records."""
    async with owning() as (_, tenure):
        lane = tenure.offsets.lane()
        tenure.offsets.track(lane, Offset(10))
        tenure.suspend()
        tenure.settle(lane, Offset(11))
        await tenure.seal((), final=True)
        assert tenure.commitable == Standing(Offset(11))
        assert tenure.left_out


async def test_a_session_that_is_full_leaves_its_partition_out() -> None:
    """Until the last of them has caught up."""
    async with owning() as (_, tenure):
        tenure.fill(1)
        tenure.fill(1)
        tenure.fill(-1)
        assert tenure.left_out
        tenure.fill(-1)
        assert not tenure.left_out


@pytest.mark.parametrize("phase", [Phase.RESTORING, Phase.STOPPED, Phase.SUSPENDED, Phase.ENDED])
async def test_only_a_live_partition_is_fetched(phase: Phase) -> None:
    """In any other phase its records would have nowhere to go."""
    async with owning() as (_, tenure):
        assert tenure.live
        assert not tenure.left_out
        tenure.phase = phase
        assert tenure.left_out


async def test_bytes_that_wait_leave_the_partition_out_until_few_are_left() -> None:
    """Between the marks it stays as it was, so that it does not flutter."""
    async with owning() as (_, tenure):
        tenure.weigh(999, 999)
        assert not tenure.left_out
        tenure.weigh(1, 0)
        assert tenure.left_out
        tenure.weigh(-500, 0)
        assert tenure.left_out
        tenure.weigh(-1, 0)
        assert not tenure.left_out


async def test_too_many_unsettled_records_leave_the_partition_out() -> None:
    """The map of offsets has a bound too."""
    async with owning() as (_, tenure):
        lane = tenure.offsets.lane()
        for offset in (10, 11, 12):
            assert not tenure.left_out
            tenure.offsets.track(lane, Offset(offset))
        assert tenure.left_out
        tenure.settle(lane, Offset(11))
        await settle_down()
        assert not tenure.left_out


async def test_a_full_output_leaves_the_partition_out() -> None:
    """What can't be published would only pile up."""
    async with owning() as (stand, tenure):
        stand.sink.hold()
        tenure.put(result(5 << 20))
        assert tenure.left_out
        stand.sink.release()
        await settle_down()
        assert not tenure.left_out


async def test_weights_count_for_the_process_too() -> None:
    """One partition's bytes are also the process's."""
    stand = Stand()
    async with stand.kitted() as kit:
        first, second = (
            Tenure(Partition(CALLS, number), kit, PatientWriter(kit, "calls")) for number in (0, 1)
        )
        first.weigh(10, 100)
        second.weigh(20, 200)
        first.weigh(-10, -100)
        assert (kit.backlog.value, kit.held.value) == (20, 200)


async def test_nothing_is_committed_before_the_partition_is_taken() -> None:
    """While restoring nobody knows where its records begin."""
    stand = Stand()
    async with stand.kitted() as kit:
        tenure = Tenure(Partition(CALLS, 0), kit, PatientWriter(kit, "calls/0"))
        assert tenure.commitable is None
        tenure.suspend()
        assert tenure.commitable is None


async def test_a_partition_read_from_its_start_commits_nothing_at_first() -> None:
    """An empty commit would tell the next owner nothing."""
    stand = Stand()
    async with stand.kitted() as kit:
        tenure = Tenure(Partition(CALLS, 0), kit, PatientWriter(kit, "calls/0"))
        tenure.begin(Offset(0), None)
        assert tenure.commitable is None
        tenure.begin(Offset(7), Offset(7))
        assert tenure.commitable is None
