"""The engine may be cancelled at any await: nothing is left over, and nothing was settled early.

A cancelled engine is a crashed one for the rest of the world, so another one then takes over and
must bring every call to its end.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumer.core.policy import (
    BackoffPolicy,
    CommitPolicy,
    IdlePolicy,
    MemoryPolicy,
    RetryPolicy,
    SessionPolicy,
)
from consumer.errors import Fault, StreamFailed
from consumer.model import Level, Partition
from tests.engine.ledger import Ledger
from tests.engine.props import Numbers
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

PLACE = Partition(CALLS, 0)
BLOCKS = 12


class Counted(Coroutine[Any, Any, Any]):
    """A coroutine whose every step is counted before it is taken."""

    def __init__(self, work: Coroutine[Any, Any, Any], count: Callable[[], None]) -> None:
        self._work = work
        self._count = count

    def send(self, value: Any) -> Any:
        """Go on to the next await."""
        self._count()
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an error to the next await."""
        self._count()
        return self._work.throw(*error)

    def close(self) -> None:
        """End without another step."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._work.__await__()


@contextmanager
def counting(count: Callable[[], None]) -> Iterator[None]:
    """All tasks that begin in here are counted."""
    loop = asyncio.get_running_loop()

    def make(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(Counted(work, count), loop=loop, **options)

    loop.set_task_factory(make)  # type: ignore[arg-type] # it takes any coroutine
    try:
        yield
    finally:
        loop.set_task_factory(None)


class Fickle:
    """A judge whose second stream breaks on the way."""

    def __init__(self) -> None:
        self._judge = Judge()

    def __call__(self, stream: FakeStream) -> None:
        """React to what a stream has heard."""
        if stream.number == 1 and len(stream.audio) == 4:
            stream.fail(StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away"))
        else:
            self._judge(stream)


NUMBERS = Numbers(
    session=SessionPolicy(
        memory=MemoryPolicy(held=300, fetch=150),
        retry=RetryPolicy(backoff=BackoffPolicy(initial=0.05)),
    ),
    commit=CommitPolicy(interval=0.005, poll=0.1, revoke=1),
    idle=IdlePolicy(timeout=3600),
)


def scene() -> Stand:
    """Three calls, one of which breaks and is read again, one key twice, and a record of nobody.

    The world takes its time, so that each can happen while the others are under way.
    """
    stand = Stand(Fickle(), numbers=NUMBERS)
    for key in ("a", "b", "c"):
        stand.speak(key, 2.5)
    stand.garble()
    stand.hang_up("a")
    stand.speak("a", 2.5)
    stand.hang_up("b")
    stand.hang_up("a")
    stand.hang_up("c")
    stand.api.script.delay("open", 0.01)
    stand.sink.script.delay("send", 0.001)
    stand.replay.script.delay("read", 0.01)
    stand.source.script.delay("commit", 0.002)
    return stand


async def play(stand: Stand, cancel_at: int) -> int:
    """Run the scene and cancel the engine at this step; returns the steps it took."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps == cancel_at:
            engine.cancel()

    with counting(count):
        engine = asyncio.create_task(stand.serve(), name="engine")
        await asyncio.sleep(0.05)
        if not engine.done():
            await stand.source.group.rebalance()
        await stand.until(lambda: engine.done() or (stand.pipeline and stand.done))
        if not engine.done():
            stand.stop()
        await asyncio.wait([engine])
        await settle_down()
    if not engine.cancelled():
        engine.result()
    return steps


async def test_the_scene_has_all_that_can_happen() -> None:
    """Else cancelling it everywhere would show little."""
    stand = scene()
    ledger = Ledger(Level.SEGMENT)
    ledger.watch(stand)
    steps = await play(stand, 0)
    counts = stand.metrics.values
    assert stand.done
    assert counts["streams_broken"] == 1
    assert counts["audio_replayed_bytes"] > 0
    assert counts["dead_letters"] == 1
    assert counts["sessions_ended"] == 4
    assert counts["results_received"] >= 4
    assert ledger.commits > 3
    assert steps > 200


@pytest.mark.parametrize("block", range(BLOCKS))
async def test_cancelled_at_any_await_nothing_is_left_and_nothing_is_lost(block: int) -> None:
    """No task remains, no commit was early, and the next engine brings all calls to their end."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    before = asyncio.all_tasks()
    total = await play(scene(), 0)
    for step in range(1 + block, total + 1, BLOCKS):
        stand = scene()
        ledger = Ledger(Level.SEGMENT)
        ledger.watch(stand)
        await play(stand, step)
        assert asyncio.all_tasks() <= before, f"tasks are left after step {step}"
        assert all(stream.over for stream in stand.api.streams), f"streams are left after {step}"
        successor = Stand(Judge(), cluster=stand.cluster, numbers=NUMBERS)
        ledger.watch(successor)
        await play(successor, 0)
        assert successor.done, f"not all is committed after step {step}"
        assert not complaints, f"complaints after step {step}: {complaints}"
