"""Reads forgotten records again, for sessions that need them, one partition at a time.

Askers of one partition are served by one pass over it, so that many sessions that fell behind
together don't read the same stretch of the log once each.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from consumer.core.policy import BackoffPolicy
from consumer.engine.kit import Kit
from consumer.errors import KafkaFailed
from consumer.model import Offset, Partition, Record

Deliver = Callable[[Mapping[Offset, Record | None]], None]


class Replayer:
    """Each session has at most one request waiting, so there are never more than sessions."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._waiting: dict[Partition, list[tuple[Sequence[Offset], Deliver]]] = {}
        self._wake = asyncio.Event()
        self._backoff = BackoffPolicy()

    def request(self, partition: Partition, offsets: Sequence[Offset], deliver: Deliver) -> None:
        """Read these ascending offsets again and hand them over, None for what is gone."""
        self._waiting.setdefault(partition, []).append((offsets, deliver))
        self._wake.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            partition = next(iter(self._waiting))
            requests = self._waiting.pop(partition)
            wanted = sorted({offset for offsets, _ in requests for offset in offsets})
            records = await self._read(partition, wanted)
            for offsets, deliver in requests:
                deliver({offset: records.get(offset) for offset in offsets})
            await asyncio.sleep(0)

    async def _read(
        self, partition: Partition, offsets: Sequence[Offset]
    ) -> Mapping[Offset, Record | None]:
        """Try until it works: without its audio a session can't go on anyway."""
        attempt = 0
        while True:
            try:
                return await self._kit.replay.read(partition, offsets)
            except KafkaFailed as failure:
                attempt += 1
                self._kit.log.warning(
                    "reading audio again failed, trying again",
                    topic=partition.topic,
                    partition=partition.number,
                    error=str(failure),
                )
                await asyncio.sleep(self._backoff.pause(str(partition), attempt))
