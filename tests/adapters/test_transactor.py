"""What a partition's transactional writer promises; the same in memory and on Apache Kafka.

The embedded broker has no transactions, which a writer says when it starts.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from consumer.core.claim import Claim, Standing
from consumer.errors import KafkaFailed, KafkaRefused, LocalProtocolError, RecordTooLarge
from consumer.model import Offset, Outgoing, Partition
from consumer.ports import Transactor
from tests.adapters.broker import Broker
from tests.adapters.conftest import BROKERS
from tests.adapters.worlds import (
    LARGEST_RECORD_BYTES,
    BrokerWorld,
    FakeWorld,
    World,
    broker_world,
)
from tests.fakes.transactor import FakeTransactor
from tests.kafka.bench import until
from tests.kafka.test_fencing import Lossy

GROUP = "owners"
STANDING = Standing(Offset(7), Claim(3, "me"))


@dataclass(frozen=True)
class Stage:
    """A world with an input partition, whose writers are tried, and outputs."""

    world: World
    source: Partition
    outputs: list[Partition]

    def transactor(self) -> Transactor:
        """One more writer for the input partition."""
        return self.world.transactor(self.source, GROUP)

    async def values(self) -> list[bytes | None]:
        """What readers of the first output see."""
        return [record.value for record in await self.world.contents(self.outputs[0])]

    async def shown(self, *values: bytes | None) -> None:
        """Wait until readers see these: a commit returns a moment before they do."""
        await until(self.values, lambda seen: seen == list(values))

    async def standing(self) -> Standing | None:
        """What is committed for the input partition."""
        return await self.world.standing(self.source, GROUP)

    def out(self, value: bytes | None, output: int = 0) -> Outgoing:
        """A record for an output."""
        topic, number = self.outputs[output]
        return Outgoing(topic, number, b"call", value)


@pytest_asyncio.fixture(params=["memory", BROKERS[1]])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """The worlds that have transactions, one after the other."""
    if request.param == "memory":
        yield await _staged(FakeWorld())
        return
    async with broker_world(request.getfixturevalue(request.param)) as real:
        yield await _staged(real)


async def _staged(world: World) -> Stage:
    [source] = await world.topic()
    return Stage(world, source, [*await world.topic(), *await world.topic()])


@asynccontextmanager
async def started(stage: Stage) -> AsyncIterator[Transactor]:
    """A writer that is started, and stopped in the end."""
    transactor = stage.transactor()
    await transactor.start()
    try:
        yield transactor
    finally:
        await transactor.stop()


async def write(transactor: Transactor, *records: Outgoing) -> None:
    """Send these and await their acknowledgement."""
    for record in records:
        await (await transactor.send(record))


async def test_records_and_offset_appear_together(stage: Stage) -> None:
    """Before the commit nobody sees anything, after it all of it, the claim included."""
    async with started(stage) as transactor:
        await transactor.begin()
        await write(transactor, stage.out(b"a"), stage.out(b"b"), stage.out(b"c", 1))
        assert await stage.values() == []
        assert await stage.standing() is None
        await transactor.commit(STANDING)
        await stage.shown(b"a", b"b")
        assert await stage.standing() == STANDING
        assert [r.value for r in await stage.world.contents(stage.outputs[1])] == [b"c"]


async def test_an_offset_alone_is_committed(stage: Stage) -> None:
    """Records that led to no result settle too."""
    async with started(stage) as transactor:
        await transactor.begin()
        await transactor.commit(STANDING)
        assert await stage.standing() == STANDING


async def test_goes_on_after_a_commit(stage: Stage) -> None:
    """One transaction follows the other, each seen with its own end; tombstones are records."""
    async with started(stage) as transactor:
        for number, value in enumerate((b"a", None, b"c")):
            await transactor.begin()
            await write(transactor, stage.out(value))
            await transactor.commit(Standing(Offset(number), Claim(1, "me")))
        await stage.shown(b"a", None, b"c")
        assert await stage.standing() == Standing(Offset(2), Claim(1, "me"))


async def test_what_is_left_open_is_never_seen(stage: Stage) -> None:
    """A stop inside a transaction leaves it to the next start, which ends it."""
    async with started(stage) as first:
        await first.begin()
        await write(first, stage.out(b"lost"))
    async with started(stage) as second:
        assert await stage.standing() is None
        await second.begin()
        await write(second, stage.out(b"kept"))
        await second.commit(STANDING)
        await stage.shown(b"kept")


Step = Callable[[Transactor, Stage], Awaitable[None]]


async def _send(transactor: Transactor, stage: Stage) -> None:
    await write(transactor, stage.out(b"late"))


async def _send_elsewhere(transactor: Transactor, stage: Stage) -> None:
    await write(transactor, stage.out(b"late", 1))


async def _commit(transactor: Transactor, stage: Stage) -> None:
    await transactor.commit(Standing(Offset(99)))


async def _begin_and_send(transactor: Transactor, stage: Stage) -> None:
    await transactor.begin()
    await _send(transactor, stage)


async def check_fails(step: Step, transactor: Transactor, stage: Stage) -> None:
    """It fails as something that a new start cures, not as what only a person can."""
    with pytest.raises(KafkaFailed) as caught:
        await step(transactor, stage)
    assert not isinstance(caught.value, KafkaRefused | RecordTooLarge)


@pytest.mark.parametrize("step", [_send, _send_elsewhere, _commit])
async def test_a_second_start_shuts_the_first_out(stage: Stage, step: Step) -> None:
    """Whatever the first does next fails, and so does all after it; nothing of it is seen."""
    async with started(stage) as first:
        await first.begin()
        await write(first, stage.out(b"old"))
        async with started(stage) as second:
            await check_fails(step, first, stage)
            for later in (_commit, _send, _send_elsewhere, _begin_and_send):
                await check_fails(later, first, stage)
            await second.begin()
            await write(second, stage.out(b"new"))
            await second.commit(STANDING)
            await stage.shown(b"new")
            assert await stage.standing() == STANDING


async def test_one_without_a_transaction_is_shut_out_too(stage: Stage) -> None:
    """Being between two transactions protects nobody."""
    async with started(stage) as first, started(stage):
        await check_fails(_begin_and_send, first, stage)
        assert await stage.values() == []


async def test_starts_again_after_a_failure(stage: Stage) -> None:
    """The same object works again once it was started anew, and shuts out in its turn."""
    async with started(stage) as first, started(stage) as second:
        await check_fails(_begin_and_send, first, stage)
        await first.stop()
        await first.start()
        await first.begin()
        await write(first, stage.out(b"again"))
        await first.commit(STANDING)
        await stage.shown(b"again")
        await check_fails(_begin_and_send, second, stage)


async def test_a_commit_whose_answer_is_lost_was_done(stage: Stage) -> None:
    """It raises, and only the next start tells: here, that all of it was done."""
    async with started(stage) as first:
        await first.begin()
        await write(first, stage.out(b"done"))
        async with losing_its_answer(first, stage) as committing, started(stage):
            with pytest.raises(KafkaFailed):
                await committing()
            await stage.shown(b"done")
            assert await stage.standing() == STANDING


@asynccontextmanager
async def losing_its_answer(
    transactor: Transactor, stage: Stage
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The commit is done when the block begins; its caller hears nothing of that."""
    if isinstance(transactor, FakeTransactor):
        transactor.lost = True
        outcome = asyncio.create_task(transactor.commit(STANDING))
        await asyncio.wait([outcome])
        yield lambda: outcome
        return
    lossy = Lossy(transactor._producer)  # type: ignore[attr-defined]
    committing = asyncio.create_task(transactor.commit(STANDING))
    await lossy.lost.wait()

    async def hear() -> None:
        lossy.may_ask_again.set()
        await committing

    yield hear


async def test_a_record_too_large_leaves_the_transaction_as_it_was(stage: Stage) -> None:
    """It fails alone, by its future; what comes before and after is committed."""
    async with started(stage) as transactor:
        await transactor.begin()
        await write(transactor, stage.out(b"a"))
        large = await transactor.send(stage.out(bytes(LARGEST_RECORD_BYTES + 1)))
        with pytest.raises(RecordTooLarge):
            await large
        await write(transactor, stage.out(b"b"))
        await transactor.commit(STANDING)
        await stage.shown(b"a", b"b")


async def test_writes_only_between_start_and_stop(stage: Stage) -> None:
    """One that was not started, or is stopped, says so; stopping twice does no harm."""
    transactor = stage.transactor()
    with pytest.raises(LocalProtocolError):
        await transactor.begin()
    await transactor.start()
    await transactor.stop()
    await transactor.stop()
    with pytest.raises(LocalProtocolError):
        await transactor.send(stage.out(b"x"))
    with pytest.raises(LocalProtocolError):
        await transactor.commit(STANDING)


@pytest.mark.broker
async def test_a_broker_without_transactions_is_told(broker: Broker) -> None:
    """The embedded broker has none, and a start says that in time."""
    async with broker_world(broker) as world:
        assert isinstance(world, BrokerWorld)
        [partition] = await world.topic()
        transactor = world.transactor(partition, GROUP)
        async with asyncio.timeout(60):
            with pytest.raises(KafkaFailed, match="can't write in transactions"):
                await transactor.start()
