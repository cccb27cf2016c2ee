"""Reads forgotten records again, for sessions that need them, one partition at a time.

Askers of one partition are served by one pass over it, so that many sessions that fell behind
together don't read the same stretch of the log once each.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from consumer.core.policy import BackoffPolicy
from consumer.engine.kit import Kit
from consumer.errors import KafkaFailed
from consumer.model import Offset, Partition, Record

Deliver = Callable[[Mapping[Offset, Record | None]], None]


class Replayer:
    """A session waits for one answer at a time, so there are never more requests than sessions."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._waiting: dict[Partition, list[tuple[Sequence[Offset], Deliver]]] = {}
        self._wake = asyncio.Event()
        self._backoff = BackoffPolicy()
        self._attempts: dict[Partition, int] = {}
        self._retry_at: dict[Partition, float] = {}

    def request(self, partition: Partition, offsets: Sequence[Offset], deliver: Deliver) -> None:
        """Read these ascending offsets again and hand them over, None for what is gone."""
        self._waiting.setdefault(partition, []).append((offsets, deliver))
        self._wake.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            partition = await self._next()
            requests = self._waiting.pop(partition)
            wanted = sorted({offset for offsets, _ in requests for offset in offsets})
            try:
                records = await self._kit.replay.read(partition, wanted)
            except KafkaFailed as failure:
                self._failed(partition, failure)
                self._waiting[partition] = requests + self._waiting.pop(partition, [])
                continue
            self._attempts.pop(partition, None)
            self._retry_at.pop(partition, None)
            for offsets, deliver in requests:
                deliver({offset: records.get(offset) for offset in offsets})
            await asyncio.sleep(0)

    async def _next(self) -> Partition:
        """The one that waits longest of those that may be read, or read again after a failure."""
        while True:
            now = self._kit.clock.monotonic()
            for partition in self._waiting:
                if self._retry_at.get(partition, now) <= now:
                    return partition
            due = min((self._retry_at[partition] for partition in self._waiting), default=None)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else due - now):
                    await self._wake.wait()

    def _failed(self, partition: Partition, failure: KafkaFailed) -> None:
        """Try again after a pause, until it works: without its audio a session can't go on anyway.

        One partition that can't be read keeps no other waiting.
        """
        attempt = self._attempts[partition] = self._attempts.get(partition, 0) + 1
        pause = self._backoff.pause(str(partition), attempt)
        self._retry_at[partition] = self._kit.clock.monotonic() + pause
        self._kit.log.warning(
            "reading audio again failed, trying again",
            topic=partition.topic,
            partition=partition.number,
            error=str(failure),
        )
