"""What a source hands out of the partitions it has; the same in memory and on a broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from consumer.core.claim import Standing
from consumer.errors import KafkaRefused, OwnershipLost
from consumer.model import Offset, Partition, Record
from tests.adapters.conftest import WORLDS
from tests.adapters.desk import Desk, desk_in
from tests.adapters.member import PATIENCE_SECONDS
from tests.adapters.worlds import FakeWorld, broker_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=WORLDS)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """One member for all tests of this module."""
    if request.param == "memory":
        async with desk_in(FakeWorld()) as shared:
            yield shared
        return
    async with (
        broker_world(request.getfixturevalue(request.param)) as world,
        desk_in(world) as shared,
    ):
        yield shared


async def test_yields_nothing_before_begin(desk: Desk) -> None:
    """A partition that was assigned but not begun hands nothing out, and loses nothing."""
    partition = await desk.filled(b"a")
    assert not await desk.member.source.poll((), 0.3)
    assert desk.member.source.progress(partition) is None
    await desk.member.begin(partition)
    assert [r.value for r in await desk.member.read(1)] == [b"a"]


async def test_begins_at_the_start_without_an_offset(desk: Desk) -> None:
    """By default a group without a committed offset hears everything."""
    partition = await desk.filled(b"a", b"b")
    assert await desk.member.begin(partition) == 0
    assert [r.offset for r in await desk.member.read(2)] == [0, 1]


async def test_begins_at_an_offset(desk: Desk) -> None:
    """Reading goes on exactly where it is told to, as often as it is told."""
    partition = await desk.filled(b"a", b"b", b"c")
    assert await desk.member.begin(partition, Offset(2)) == 2
    assert [r.value for r in await desk.member.read(1)] == [b"c"]
    await desk.member.begin(partition, Offset(1))
    assert [r.value for r in await desk.member.read(2)] == [b"b", b"c"]


async def test_begins_at_the_very_end(desk: Desk) -> None:
    """The offset of the next record that will be written is a fine place to begin."""
    partition = await desk.filled(b"a")
    assert await desk.member.begin(partition, Offset(1)) == 1
    await desk.world.put(partition, b"b")
    assert [r.value for r in await desk.member.read(1)] == [b"b"]


async def test_refuses_an_offset_out_of_range(desk: Desk) -> None:
    """An offset that does not exist stops the reading and says what to set."""
    partition = await desk.filled(b"a")
    with pytest.raises(KafkaRefused, match=r"kafka\.out_of_range"):
        await desk.member.begin(partition, Offset(7))


async def test_hands_records_out_as_they_were_written(desk: Desk) -> None:
    """Key, value, headers, their order and repetition, offset and partition stay as they were."""
    partition = await desk.filled()
    headers = (("sample-rate", b"8000"), ("meta-a", b"1"), ("meta-a", b"\xff"))
    await desk.world.put(partition, b"audio", b"call-7", headers)
    await desk.world.put(partition, None, b"call-7")
    await desk.world.put(partition, b"stray", None)
    await desk.member.begin(partition)
    first, second, third = await desk.member.read(3)
    assert first == Record(
        partition, Offset(0), first.timestamp, b"call-7", b"audio", headers=headers
    )
    assert (second.key, second.value, second.headers) == (b"call-7", None, ())
    assert (third.key, third.value, third.offset) == (None, b"stray", 2)
    assert first.timestamp > 1_600_000_000_000


async def test_leaves_partitions_out(desk: Desk) -> None:
    """A partition that is left out yields nothing until it is asked for again, then everything."""
    shut, open_ = await desk.filled(b"a", b"b"), await desk.filled(b"c")
    await desk.member.begin(shut)
    await desk.member.begin(open_)
    assert [r.value for r in await desk.member.read(1, without={shut})] == [b"c"]
    assert not await desk.member.source.poll({shut}, 0.3)
    assert [r.value for r in await desk.member.read(2)] == [b"a", b"b"]


async def test_what_is_begun_meanwhile_is_not_kept_waiting(desk: Desk) -> None:
    """A poll that waits for other partitions ends early, or brings the records itself."""
    quiet, late = await desk.filled(), await desk.filled(b"a")
    await desk.member.begin(quiet)
    polling = asyncio.create_task(desk.member.read(1, wait=PATIENCE_SECONDS))
    await asyncio.sleep(0.5)
    assert not polling.done()
    await desk.member.begin(late)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        assert [record.value for record in await polling] == [b"a"]


async def test_waits_in_vain_when_all_is_left_out(desk: Desk) -> None:
    """With every partition left out a poll yields nothing instead of everything."""
    partition = await desk.filled(b"a")
    await desk.member.begin(partition)
    everything = desk.member.partitions
    assert not await desk.member.source.poll(everything, 0.2)
    assert not await desk.member.source.poll(everything, 0.0)
    assert [r.value for r in await desk.member.read(1)] == [b"a"]


async def test_counts_empty_fetches(desk: Desk) -> None:
    """Fetches that bring nothing are counted too: so silence can be told from not looking."""
    partition = await desk.filled(b"a")
    source = desk.member.source
    await desk.member.begin(partition)
    await desk.member.read(1)
    seen = -1
    for _ in range(3):
        progress = source.progress(partition)
        assert progress is not None
        assert (progress.position, progress.end) == (1, 1)
        assert progress.fetches >= seen
        seen = progress.fetches + 1
        while (now := source.progress(partition)) is not None and now.fetches < seen:
            assert not await source.poll((), 0.2)


async def test_makes_no_progress_while_left_out(desk: Desk) -> None:
    """A fetch counts when its records are handed out, not while the partition is left out."""
    partition = await desk.filled(b"a")
    source = desk.member.source
    await desk.member.begin(partition)
    await desk.member.read(1)
    await desk.world.put(partition, b"b")
    for _ in range(5):
        await source.poll({partition}, 0.2)
    before = source.progress(partition)
    for _ in range(3):
        await source.poll({partition}, 0.2)
    assert source.progress(partition) == before
    assert before is not None
    assert before.position == 1
    assert [r.value for r in await desk.member.read(1)] == [b"b"]
    after = source.progress(partition)
    assert after is not None
    assert after.fetches > before.fetches


async def test_commits_what_it_is_told(desk: Desk) -> None:
    """The committed offset is what was committed last, wherever reading stands."""
    partition = await desk.filled(b"a", b"b", b"c")
    source = desk.member.source
    assert await source.standing(partition) is None
    await desk.member.begin(partition)
    await desk.member.read(3)
    assert await source.standing(partition) is None
    await source.commit({partition: Standing(Offset(1))})
    assert await source.standing(partition) == Standing(Offset(1))
    await source.commit({partition: Standing(Offset(3))})
    assert await source.standing(partition) == Standing(Offset(3))


async def test_refuses_what_is_not_ours(desk: Desk) -> None:
    """A partition that nobody gave us can neither be begun nor committed."""
    stranger = Partition(desk.fresh[0].topic, 99)
    with pytest.raises(OwnershipLost):
        desk.member.source.begin(stranger, Offset(0))
    with pytest.raises(OwnershipLost):
        await desk.member.source.commit({stranger: Standing(Offset(1))})
    assert desk.member.source.progress(stranger) is None
