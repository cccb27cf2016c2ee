"""A partition's way out: what was published before a settle is acknowledged before it happens.

Records go out in batches: all that waits is sent, then all of it is acknowledged, then whatever was
to be settled after it is. A batch is what becomes a transaction where delivery is exactly once.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from consumer.codec.letters import PREFIX
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
            before = len(unsent)
            unsent = await self._send_all(unsent)
            self._kit.metrics.count("records_published", before - len(unsent))
            if unsent:
                attempt += 1
                self._kit.metrics.count("publish_retries", len(unsent))
                await asyncio.sleep(self._backoff.pause(self._name, attempt))
        self.size -= sum(map(_weight, records))
        if self.size < _MOST:
            self._roomy.set()

    async def _send_all(self, records: list[Outgoing]) -> list[Outgoing]:
        """Send these and await their acknowledgement; returns what is to be sent again."""
        sent: list[tuple[Outgoing, asyncio.Future[None]]] = []
        open_writes: deque[asyncio.Future[None]] = deque()
        for record in records:
            sent.append(await self._hand_over(record))
            open_writes.append(sent[-1][1])
            while open_writes and _is_written(open_writes[0]):
                open_writes.popleft()
            if open_writes and (_failure(open_writes[0]) or _failure(open_writes[-1])):
                break  # what follows must not overtake it
        await asyncio.gather(*(written for _, written in sent), return_exceptions=True)
        again = [
            self._retried(record, failure)
            for record, written in sent
            if (failure := _failure(written)) is not None
        ]
        return again + records[len(sent) :]

    async def _hand_over(self, record: Outgoing) -> tuple[Outgoing, "asyncio.Future[None]"]:
        """Send this, as much of it as the client takes; returns what was sent."""
        while True:
            try:
                written = await self._kit.sink.send(record)
            except KafkaFailed as failure:
                written = _failed(failure)
            problem = _failure(written)
            if not isinstance(problem, RecordTooLarge):
                return record, written
            record = self._reduced(record, problem)

    def _retried(self, record: Outgoing, failure: KafkaFailed) -> Outgoing:
        if isinstance(failure, KafkaRefused):
            raise failure
        if isinstance(failure, RecordTooLarge):
            return self._reduced(record, failure)
        self._kit.log.warning(
            "publishing failed, trying again", topic=record.topic, error=str(failure)
        )
        return record

    def _reduced(self, record: Outgoing, failure: RecordTooLarge) -> Outgoing:
        """What can still be said of a record that is too large: all but its value, else only where
        a dead letter came from. Raises KafkaRefused when even that is too much.
        """
        origin = tuple(header for header in record.headers if header[0].startswith(PREFIX))
        if record.value is not None:
            self._kit.log.error(
                "a record is too large for the brokers and goes out without its value",
                topic=record.topic,
                bytes=len(record.value),
            )
            return replace(record, value=None)
        if origin and (record.key is not None or record.headers != origin):
            return replace(record, key=None, headers=origin)
        raise KafkaRefused(f"brokers that take no record at all: {failure}") from failure


def _failure(written: "asyncio.Future[None]") -> KafkaFailed | None:
    """Why this was not written; None when it was, or when that is not known yet."""
    if not written.done():
        return None
    if written.cancelled():
        return KafkaFailed("the write was given up")
    error = written.exception()
    if error is None or isinstance(error, KafkaFailed):
        return error
    raise error


def _is_written(written: "asyncio.Future[None]") -> bool:
    return written.done() and _failure(written) is None


def _failed(failure: KafkaFailed) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(failure)
    return future


def _weight(record: Outgoing) -> int:
    return 256 + len(record.value or b"")
