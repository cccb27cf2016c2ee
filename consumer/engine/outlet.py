"""A partition's way out: what was published before a settle is acknowledged before it happens.

Records go out in batches: all that waits is sent, then all of it is acknowledged, then whatever was
to be settled after it is. A seal says how far the partition has come, once all before it is done.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from consumer.core.claim import Standing
from consumer.model import Outgoing

_MOST = 4 << 20
"""Bytes that may wait before those who can wait have to."""

Settled = Callable[[], None]


class Writer(Protocol):
    """Where records go."""

    async def start(self) -> None:
        """Be the one who writes for the partition. Raises KafkaFailed, KafkaRefused."""
        ...

    async def write(self, records: Sequence[Outgoing]) -> None:
        """Return when all of them are acknowledged. Raises KafkaFailed when nobody knows."""
        ...

    async def seal(self, standing: Standing) -> None:
        """All that was written so far belongs to this. Raises as `write`."""
        ...

    async def stop(self) -> None:
        """Write no more."""
        ...


@dataclass(frozen=True, slots=True)
class Seal:
    """standing: asked when its turn has come. sealed: told when it is done. final: nothing more
    goes out after it, unless the outlet was resumed meanwhile.
    """

    standing: Callable[[], Standing]
    sealed: Callable[[Standing], None]
    done: "asyncio.Future[None]"
    final: bool


_BARRIER: Final = object()
"""What stands behind it is not sent before all before it is acknowledged."""


class Outlet:
    """Publishes one partition's records in order. size: bytes that wait. touched: something was put
    since the last seal.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: deque[object] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._shut = False
        self._held = False
        self.size = 0
        self.touched = False

    def put(self, record: Outgoing) -> None:
        """Publish this; never waits, for those who can't."""
        self.size += _weight(record)
        self._append(record)
        self._look()

    def then(self, settled: Settled) -> None:
        """Call this once everything put before is acknowledged."""
        self._append(settled)

    def barrier(self) -> None:
        """Send what is put from now on only after everything before is acknowledged."""
        self._append(_BARRIER)

    def seal(self, seal: Seal) -> None:
        """Seal when everything put before is done."""
        self._append(seal)
        self.touched = False

    def shut(self) -> None:
        """There is no room any more for those who can wait."""
        self._shut = True
        self._look()

    def hold(self) -> None:
        """Send nothing more for now."""
        self._held = True

    def resume(self) -> None:
        """Go on as before."""
        self._held = self._shut = False
        self._look()
        self._wake.set()

    async def room(self) -> None:
        """Wait until not too much waits."""
        await self._roomy.wait()

    @property
    def full(self) -> bool:
        """Too much waits."""
        return not self._roomy.is_set()

    async def flushed(self) -> None:
        """Wait until nothing waits."""
        await self._idle.wait()

    async def run(self) -> None:
        """Publish for ever. Raises what the writer does."""
        try:
            while True:
                await self._something()
                await self._publish()
                await self._pass()
        finally:
            for item in self._waiting:
                if isinstance(item, Seal):
                    item.done.cancel()

    def _append(self, item: object) -> None:
        self._waiting.append(item)
        self._idle.clear()
        self._wake.set()
        self.touched = True

    async def _something(self) -> None:
        while self._held or not self._waiting:
            if not self._waiting:
                self._idle.set()
            self._wake.clear()
            await self._wake.wait()

    async def _publish(self) -> None:
        """Send what waits in front of the next barrier or seal, then settle what follows of it."""
        batch: list[object] = []
        while self._waiting and not _parts(self._waiting[0]):
            batch.append(self._waiting.popleft())
        records = [item for item in batch if isinstance(item, Outgoing)]
        if records:
            await self._writer.write(records)
            self.size -= sum(map(_weight, records))
            self._look()
        for item in batch:
            if callable(item):
                item()

    async def _pass(self) -> None:
        """Do what stands in front now, if it is a barrier or a seal."""
        if not self._waiting or not _parts(self._waiting[0]):
            return
        item = self._waiting.popleft()
        if not isinstance(item, Seal):
            return
        try:
            standing = item.standing()
            await self._writer.seal(standing)
        except BaseException:
            item.done.cancel()
            raise
        if item.final and self._shut:
            self._held = True
        item.sealed(standing)
        if not item.done.done():
            item.done.set_result(None)

    def _look(self) -> None:
        if self._shut or self.size >= _MOST:
            self._roomy.clear()
        else:
            self._roomy.set()


def _parts(item: object) -> bool:
    return item is _BARRIER or isinstance(item, Seal)


def _weight(record: Outgoing) -> int:
    return 256 + len(record.value or b"")
