"""Commits end with the assignment they belong to."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from consumer.adapters.kafka.commits import Commits
from consumer.adapters.kafka.source import KafkaSource
from consumer.core.claim import Standing
from consumer.errors import KafkaFailed, OwnershipLost
from consumer.model import Offset
from tests.adapters.member import PATIENCE_SECONDS, joined
from tests.adapters.worlds import BrokerWorld

IN_TIME = 5.0


class Endless:
    """A commit whose coordinator never answers; it remembers whether somebody ended it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def commit(self) -> None:
        """Wait for ever."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def running(commits: Commits, endless: Endless) -> "asyncio.Task[None]":
    """Somebody who waits for an endless commit."""
    waiter = asyncio.create_task(commits.run(endless.commit()))
    async with asyncio.timeout(IN_TIME):
        await endless.begun.wait()
    return waiter


async def test_waits_for_a_commit_to_end() -> None:
    """A commit is over when it is done, not before."""
    done: list[str] = []

    async def commit() -> None:
        await asyncio.sleep(0.01)
        done.append("committed")

    await Commits().run(commit())
    assert done == ["committed"]


async def test_cuts_off_all_that_wait() -> None:
    """When the assignment is over, each commit under way ends, and its caller is told why."""
    commits, endless = Commits(), [Endless(), Endless()]
    waiters = [await running(commits, each) for each in endless]
    commits.cut_off()
    async with asyncio.timeout(IN_TIME):
        told = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(each) for each in told] == [OwnershipLost] * 2
    assert all(each.ended.is_set() for each in endless)


async def test_is_ready_for_the_next_assignment() -> None:
    """What was cut off belongs to the past: a later commit runs to its end."""
    commits = Commits()
    waiter = await running(commits, Endless())
    commits.cut_off()
    with pytest.raises(OwnershipLost):
        await waiter
    done = asyncio.Event()

    async def commit() -> None:
        done.set()

    await commits.run(commit())
    assert done.is_set()


async def test_passes_errors_through() -> None:
    """Why a commit failed reaches its caller as it is."""
    failure = KafkaFailed("no coordinator")

    async def commit() -> None:
        raise failure

    with pytest.raises(KafkaFailed) as caught:
        await Commits().run(commit())
    assert caught.value is failure


async def test_ends_with_its_caller() -> None:
    """A caller that gives up, as after its time, does not leave a commit behind that may land."""
    commits, endless = Commits(), Endless()
    waiter = await running(commits, endless)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    async with asyncio.timeout(IN_TIME):
        await endless.ended.wait()


async def test_leaves_nothing_over() -> None:
    """Whichever way commits end, no task stays and nothing is remembered of them."""
    commits = Commits()
    before = asyncio.all_tasks()

    async def fail() -> None:
        raise KafkaFailed("no coordinator")

    with pytest.raises(KafkaFailed):
        await commits.run(fail())
    cut, left = [await running(commits, Endless()) for _ in range(2)]
    left.cancel()
    await asyncio.sleep(0)
    commits.cut_off()
    async with asyncio.timeout(IN_TIME):
        await asyncio.gather(cut, left, return_exceptions=True)
    await asyncio.sleep(0.01)  # a cancelled task ends in the loop's next rounds
    assert asyncio.all_tasks() == before
    assert not commits._running


async def test_no_commit_lands_in_the_name_of_the_next_generation(
    real_world: BrokerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits through a rebalance is cut off, although the library would repeat it."""
    [partition] = await real_world.topic()
    async with joined(real_world.source(partition.topic, "late")) as member:
        await member.begin(partition)
        assert isinstance(member.source, KafkaSource)
        client = member.source._consumer
        begun, coordinator_answers = asyncio.Event(), asyncio.Event()
        really = client.commit

        async def commit(offsets: Mapping[Any, Any]) -> None:
            begun.set()
            await coordinator_answers.wait()
            await really(offsets)

        monkeypatch.setattr(client, "commit", commit)
        late = asyncio.create_task(member.source.commit({partition: Standing(Offset(7))}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await begun.wait()
            client._coordinator.request_rejoin()
            await member.assignments(2)
            with pytest.raises(OwnershipLost, match="rebalanced during the commit"):
                await late
        coordinator_answers.set()
        await asyncio.sleep(0.1)
        assert await member.source.standing(partition) is None
        await member.source.commit({partition: Standing(Offset(1))})
        assert await member.source.standing(partition) == Standing(Offset(1))
