"""What all parts of the engine share: the world, the policies, and one owner for every task."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from consumer.codec.headers import ChunkDefaults
from consumer.codec.results import PublicationEncoder
from consumer.core.breaker import Breaker
from consumer.core.flow import Mark
from consumer.core.policy import CommitPolicy, FlowPolicy, IdlePolicy, SessionPolicy
from consumer.model import Partition
from consumer.ports import (
    Analyzer,
    Checkpoints,
    Clock,
    Log,
    Metrics,
    Replay,
    Sink,
    Source,
    Transactor,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The numbers that the engine is tuned by.

    stalled: seconds without a turn after which the poll loop counts as standing still.
    """

    session: SessionPolicy
    idle: IdlePolicy
    flow: FlowPolicy
    commit: CommitPolicy
    stalled: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One per process. backlog and held: bytes that wait for streams, and bytes in memory.

    owner: names this process in claims. transactor: makes the writer of one partition where
    delivery is exactly once.
    """

    source: Source
    sink: Sink
    replay: Replay
    analyzer: Analyzer
    clock: Clock
    metrics: Metrics
    log: Log
    policies: Policies
    defaults: ChunkDefaults
    encoder: PublicationEncoder
    dead_letter_topic: str
    checkpoint_topic: str
    checkpoints: Checkpoints
    transactor: Callable[[Partition], Transactor] | None = None
    owner: str
    breaker: Breaker
    backlog: Mark
    held: Mark
    tasks: asyncio.TaskGroup

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task of the engine; if it fails, the engine does.

        While the engine ends because of a failure, what begins is cancelled before it has begun.
        """
        try:
            return self.tasks.create_task(work, name=name)
        except RuntimeError:  # how a task group says that it is ending
            work.close()
            stillborn = asyncio.get_running_loop().create_task(_nothing(), name=name)
            stillborn.cancel()
            return stillborn

    def fail(self, error: Exception) -> None:
        """End the engine with an error that no task carries, as one in a timer."""
        self.spawn(_raise(error), "failure")


async def _raise(error: Exception) -> None:
    raise error


async def _nothing() -> None:
    """Stands for work that is too late."""
