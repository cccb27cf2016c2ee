"""What fakes can do beyond the real things: be planned, be watched, and live in virtual time."""

import asyncio
from collections.abc import Collection
from fractions import Fraction

import pytest

from consumer.core.claim import Standing
from consumer.errors import Fault, KafkaFailed, OwnershipLost, StreamFailed
from consumer.model import Hertz, Level, LevelChoice, Offset, Outgoing, Partition, StreamConfig
from tests.adapters.member import joined
from tests.fakes.analyzer import FakeAnalyzer
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.judge import Judge
from tests.fakes.replay import FakeReplay
from tests.fakes.sink import FakeSink
from tests.fakes.source import FakeSource

pytestmark = pytest.mark.looptime

CONFIG = StreamConfig(Hertz(8000), LevelChoice.ALL)
OUT = Outgoing("out", 0, b"call", b"{}")


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def test_polls_for_an_hour_in_no_time() -> None:
    """Waiting is virtual: an hour without a record passes at once, and the clock has moved."""
    cluster, clock = FakeCluster(), FakeClock()
    [partition] = cluster.create("in")
    wall = clock.wall_ms()
    async with joined(FakeSource(cluster, "in")) as member:
        await member.begin(partition)
        assert not await member.source.poll((), 3600)
        assert now() == 3600
        assert clock.wall_ms() == wall + 3_600_000
        asyncio.get_running_loop().call_later(5, cluster.append, partition, b"a")
        assert await member.source.poll((), 3600)
        assert now() == 3605


async def test_calls_go_as_planned() -> None:
    """Calls may be slow, wait for the test, and fail in a given order; then they work again."""
    cluster = FakeCluster()
    [partition] = cluster.create("in")
    source = FakeSource(cluster, "in")
    async with joined(source):
        source.script.delay("commit", 2)
        source.script.fail("commit", KafkaFailed("once"), KafkaFailed("twice"))
        for text in ("once", "twice"):
            with pytest.raises(KafkaFailed, match=text):
                await source.commit({partition: Standing(Offset(0))})
        assert now() == 4
        go_on = source.script.hold("commit")
        committing = asyncio.create_task(source.commit({partition: Standing(Offset(0))}))
        await asyncio.sleep(10)
        assert not committing.done()
        go_on.set()
        await committing
    assert source.script.calls == ["start", "commit", "commit", "commit"]


async def test_an_expelled_member_has_lost() -> None:
    """Expulsion is a loss: nothing can be committed in it, and the partitions come back later."""
    cluster = FakeCluster()
    [partition] = cluster.create("in")
    source = FakeSource(cluster, "in")
    async with joined(source) as member:

        async def try_to_commit() -> None:
            with pytest.raises(OwnershipLost):
                await source.commit({partition: Standing(Offset(0))})

        member.on_revoked = try_to_commit
        await source.group.expel(source)
        assert member.revoked == [((partition,), True)]
        assert len(member.assigned) == 2
        await source.commit({partition: Standing(Offset(0))})


async def test_a_commit_does_not_outlive_a_rebalance() -> None:
    """A commit under way when the group rebalances is refused, even where the partition stays."""
    cluster = FakeCluster()
    [partition] = cluster.create("in")
    source = FakeSource(cluster, "in")
    async with joined(source):
        go_on = source.script.hold("commit")
        committing = asyncio.create_task(source.commit({partition: Standing(Offset(0))}))
        await asyncio.sleep(0)
        await source.group.rebalance()
        go_on.set()
        with pytest.raises(OwnershipLost):
            await committing
        assert source.group.committed == {}


async def test_partitions_stay_where_they_were() -> None:
    """A rebalance moves no more partitions than it must."""
    cluster = FakeCluster()
    cluster.create("in", 6)
    first_source, second_source = FakeSource(cluster, "in"), FakeSource(cluster, "in")
    async with joined(first_source) as first, joined(second_source) as second:
        kept = first.partitions
        assert (len(kept), len(second.partitions)) == (3, 3)
        async with joined(FakeSource(cluster, "in")) as third:
            assert first.partitions < kept
            assert len(third.partitions) == 2


async def test_holds_acknowledgements_back() -> None:
    """A test decides when records count as written, and whether they ever do."""
    cluster = FakeCluster()
    [place] = cluster.create("out")
    sink = FakeSink(cluster, capacity=2)
    await sink.start()
    sink.hold()
    sent = [await sink.send(OUT) for _ in range(2)]
    waiting = asyncio.create_task(sink.send(OUT))
    await asyncio.sleep(60)
    assert not waiting.done()
    assert not any(future.done() for future in sent)
    assert not cluster.contents(place)
    sink.refuse(KafkaFailed("no"))
    with pytest.raises(KafkaFailed, match="no"):
        await sent[0]
    assert isinstance(sent[1].exception(), KafkaFailed)
    last = await waiting
    sink.release()
    await last
    assert sink.sent == [OUT]
    assert len(cluster.contents(place)) == 1


async def test_remembers_what_was_read_again() -> None:
    """Replays can be counted, and holes of all kinds be read."""
    cluster = FakeCluster()
    [partition] = cluster.create("in")
    for _ in range(4):
        cluster.append(partition, b"a")
    cluster.delete(partition, below=1)
    cluster.punch(partition, 2)
    replay = FakeReplay(cluster)
    found = await replay.read(partition, [Offset(n) for n in range(5)])
    assert [o for o, record in found.items() if record] == [1, 3]
    assert replay.asked == [(partition, (0, 1, 2, 3, 4))]


async def test_positions_pass_over_holes() -> None:
    """Offsets without records are passed as on a broker, so reading reaches the end."""
    cluster = FakeCluster()
    [partition] = cluster.create("in")
    cluster.append(partition, b"a")
    cluster.skip(partition, 2)
    async with joined(FakeSource(cluster, "in")) as member:
        await member.begin(partition)
        assert len(await member.read(1)) == 1
        progress = member.source.progress(partition)
        assert progress is not None
        assert (progress.position, progress.end) == (3, 3)


async def test_a_server_may_stop_reading() -> None:
    """Writes wait while the server reads nothing, go on when it does, and fail when it ends."""
    analyzer = FakeAnalyzer()
    stream = await analyzer.open(CONFIG)
    stream.stop_reading()
    writing = asyncio.create_task(stream.write(b"ab"))
    await asyncio.sleep(60)
    assert not writing.done()
    await stream.half_close()
    assert not stream.half_close_seen
    stream.read_on()
    await writing
    assert stream.half_close_seen
    assert stream.audio == [b"ab"]
    stream.stop_reading()
    writing = asyncio.create_task(stream.write(b"cd"))
    await asyncio.sleep(1)
    stream.fail(StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "gone"))
    with pytest.raises(StreamFailed, match="UNAVAILABLE"):
        await writing


@pytest.mark.parametrize("level", list(LevelChoice))
async def test_a_judge_finds_speech_in_everything(level: LevelChoice) -> None:
    """The judge says segments on time, an utterance at the half-close, by the level asked for."""
    stream = await FakeAnalyzer(Judge()).open(StreamConfig(Hertz(8000), level))
    for _ in range(9):
        await stream.write(bytes(8000))
    await stream.half_close()
    spans = []
    while (message := await stream.read()) is not None:
        spans += [(r.level, r.start, r.end) for r in message.results]
    segments = [(Level.SEGMENT, Fraction(n), Fraction(n + 2)) for n in (0, 2)]
    utterance = [(Level.UTTERANCE, Fraction(0), Fraction(9, 2))]
    wanted = {"segment": segments, "utterance": utterance, "all": segments + utterance}
    assert spans == wanted[level.value]


async def test_a_silent_judge_only_ends() -> None:
    """Silence has no results, and an OK all the same."""
    analyzer = FakeAnalyzer(Judge(silent=True))
    stream = await analyzer.open(CONFIG)
    await stream.write(bytes(80_000))
    await stream.half_close()
    assert await stream.read() is None
    await analyzer.stop()
    assert not stream.cancelled


async def test_callbacks_may_take_virtual_time() -> None:
    """A member that gives back slowly holds the group up for exactly that long."""
    cluster = FakeCluster()
    cluster.create("in", 2)
    seen: list[Collection[Partition]] = []
    async with joined(FakeSource(cluster, "in")) as slow:
        slow.on_revoked = lambda: asyncio.sleep(3)
        async with joined(FakeSource(cluster, "in")) as other:
            seen.append(other.partitions)
            assert now() == 3
    assert len(seen[0]) == 1
