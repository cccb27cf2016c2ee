"""A partition's way out: what was published before a settle is acknowledged before it happens.

Records go out in batches: all that waits is sent, then all of it is acknowledged, then whatever was
to be settled after it is. A batch is what becomes a transaction where delivery is exactly once.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from consumer.core.policy import BackoffPolicy
from consumer.engine.kit import Kit
from consumer.errors import KafkaFailed, KafkaRefused, RecordTooLarge
from consumer.model import Outgoing

_MOST = 4 << 20
"""Bytes that may wait before those who can wait have to."""

Settled = Callable[[], None]


class Outlet:
    """Publishes one partition's records in order. size: bytes that wait."""

    def __init__(self, kit: Kit, name: str) -> None:
        self._kit = kit
        self._name = name
        self._waiting: deque[Outgoing | Settled] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._backoff = BackoffPolicy()
        self.size = 0

    def put(self, record: Outgoing) -> None:
        """Publish this; never waits, for those who can't."""
        self.size += _weight(record)
        self._append(record)
        if self.size >= _MOST:
            self._roomy.clear()

    def then(self, settled: Settled) -> None:
        """Call this once everything put before is acknowledged."""
        self._append(settled)

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
        """Publish for ever. Raises KafkaRefused when trying again can't help."""
        while True:
            if not self._waiting:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            batch, self._waiting = self._waiting, deque()
            await self._publish([item for item in batch if isinstance(item, Outgoing)])
            for item in batch:
                if not isinstance(item, Outgoing):
                    item()

    def _append(self, item: Outgoing | Settled) -> None:
        self._waiting.append(item)
        self._idle.clear()
        self._wake.set()

    async def _publish(self, records: list[Outgoing]) -> None:
        attempt = 0
        unsent = records
        while unsent:
            failures = await self._send_all(unsent)
            self._kit.metrics.count("records_published", len(unsent) - len(failures))
            unsent = [self._retried(record, failure) for record, failure in failures]
            if unsent:
                attempt += 1
                self._kit.metrics.count("publish_retries", len(unsent))
                await asyncio.sleep(self._backoff.pause(self._name, attempt))
        self.size -= sum(map(_weight, records))
        if self.size < _MOST:
            self._roomy.set()

    async def _send_all(self, records: list[Outgoing]) -> list[tuple[Outgoing, KafkaFailed]]:
        """Send these and await their acknowledgement; returns those that failed."""
        acknowledged = []
        for record in records:
            try:
                acknowledged.append(await self._kit.sink.send(record))
            except KafkaFailed as failure:
                acknowledged.append(_failed(failure))
        await asyncio.gather(*acknowledged, return_exceptions=True)
        failures = []
        for record, done in zip(records, acknowledged, strict=True):
            error = done.exception()
            if isinstance(error, KafkaFailed):
                failures.append((record, error))
            elif error is not None:
                raise error
        return failures

    def _retried(self, record: Outgoing, failure: KafkaFailed) -> Outgoing:
        if isinstance(failure, KafkaRefused):
            raise failure
        self._kit.log.warning(
            "publishing failed, trying again", topic=record.topic, error=str(failure)
        )
        if isinstance(failure, RecordTooLarge) and record.value is not None:
            self._kit.log.error(
                "a record is too large for the brokers and goes out without its value",
                topic=record.topic,
                bytes=len(record.value),
            )
            return replace(record, value=None)
        return record


def _failed(failure: KafkaFailed) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(failure)
    return future


def _weight(record: Outgoing) -> int:
    return 256 + len(record.value or b"")
