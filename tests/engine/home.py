"""A partition that notes what a session lets out, in order."""

import asyncio
from collections.abc import Callable

from consumer.core.offsets import Lane
from consumer.model import Offset, Outgoing, Partition
from tests.engine.stand import CALLS


class FakeHome:
    """A `consumer.engine.egress.Home`. out: records and settled offsets as they came."""

    def __init__(self) -> None:
        self.partition = Partition(CALLS, 0)
        self.lettered: set[Offset] = set()
        self.out: list[Outgoing | int] = []
        self.backlog = 0
        self.held = 0
        self.full = 0

    def put(self, record: Outgoing) -> None:
        """Publish a record."""
        self.out.append(record)

    def settle(self, lane: Lane, below: Offset) -> None:
        """Settle the lane's offsets."""
        self.out.append(int(below))

    def then(self, done: Callable[[], None]) -> None:
        """All is acknowledged soon."""
        asyncio.get_running_loop().call_soon(done)

    async def room(self) -> None:
        """There is always room."""

    def weigh(self, backlog: int, held: int) -> None:
        """A session's bytes have changed by this much."""
        self.backlog += backlog
        self.held += held

    def fill(self, sessions: int) -> None:
        """So many more sessions have enough to catch up with."""
        self.full += sessions

    @property
    def told(self) -> list[str | int]:
        """Topics of the records, and the settled offsets between them."""
        return [each.topic if isinstance(each, Outgoing) else each for each in self.out]

    def records(self, topic: str) -> list[Outgoing]:
        """What was put for one topic."""
        return [r for r in self.out if isinstance(r, Outgoing) and r.topic == topic]
