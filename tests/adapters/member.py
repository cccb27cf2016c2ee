"""A member of a group as an engine would drive it, reduced to what tests need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from consumer.model import Offset, Partition, Record
from consumer.ports import Source

PATIENCE_SECONDS = 30.0


class Member:
    """Drives a source and remembers what it was told.

    on_revoked: what to do when partitions go, if anything.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.assigned: list[Collection[Partition]] = []
        self.revoked: list[tuple[Collection[Partition], bool]] = []
        self.on_revoked: Callable[[], Awaitable[None]] | None = None
        self._news = asyncio.Event()

    @property
    def partitions(self) -> set[Partition]:
        """What the last assignment brought."""
        return set(self.assigned[-1]) if self.assigned else set()

    async def start(self) -> None:
        """Join the group."""
        await self.source.start(self._note_assigned, self._note_revoked)

    async def begin(self, partition: Partition, offset: Offset | None = None) -> Offset:
        """Read from this offset on, or from where the policies say; returns from where."""
        position = await self.source.place(partition, offset)
        self.source.begin(partition, position)
        return position

    async def assignments(self, number: int) -> None:
        """Wait until there were so many assignments."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.assigned) < number:
                self._news.clear()
                await self._news.wait()

    async def revokes(self, number: int) -> None:
        """Wait until there were so many revokes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.revoked) < number:
                self._news.clear()
                await self._news.wait()

    async def read(
        self, number: int, without: Collection[Partition] = (), wait: float = 0.1
    ) -> Sequence[Record]:
        """Poll until there are so many records."""
        records: list[Record] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(records) < number:
                for batch in (await self.source.poll(without, wait)).values():
                    records += batch
        return records

    def _note_assigned(self, partitions: Collection[Partition]) -> None:
        self.assigned.append(partitions)
        self._news.set()

    async def _note_revoked(self, partitions: Collection[Partition], lost: bool) -> None:
        self.revoked.append((partitions, lost))
        self._news.set()
        if self.on_revoked is not None:
            await self.on_revoked()


@asynccontextmanager
async def joined(source: Source) -> AsyncIterator[Member]:
    """A member that is in the group, and leaves it in the end."""
    member = Member(source)
    await member.start()
    try:
        yield member
    finally:
        await source.stop()
