"""One member of a group that holds many partitions, and hands each test one of its own.

On the broker every joining costs seconds, so tests that are not about joining share one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from consumer.model import Partition
from tests.adapters.member import Member, joined
from tests.adapters.worlds import World


@dataclass(frozen=True)
class Desk:
    """A world, a member in it, and partitions that nobody has used yet."""

    world: World
    member: Member
    fresh: list[Partition]

    async def filled(self, *values: bytes) -> Partition:
        """A fresh partition with these records."""
        partition = self.fresh.pop()
        for value in values:
            await self.world.put(partition, value)
        return partition


@asynccontextmanager
async def desk_in(world: World) -> AsyncIterator[Desk]:
    """A desk in this world."""
    partitions = await world.topic(partitions=16)
    async with joined(world.source(partitions[0].topic, "desk")) as member:
        yield Desk(world, member, list(partitions))
