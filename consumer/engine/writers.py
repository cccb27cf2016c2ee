"""The two ways to write: again until it works, or all in one transaction or nothing.

A record that is too large is reduced in both, because it would be too large again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from consumer.codec.letters import PREFIX
from consumer.core.claim import Standing
from consumer.core.policy import BackoffPolicy
from consumer.engine.kit import Kit
from consumer.errors import KafkaFailed, KafkaRefused, RecordTooLarge
from consumer.measures import MetricName
from consumer.model import Outgoing
from consumer.ports import Transactor

Send = Callable[[Outgoing], Awaitable["asyncio.Future[None]"]]


class PatientWriter:
    """Writes at once, and again after a pause until the brokers have it: at least once."""

    def __init__(self, kit: Kit, name: str) -> None:
        self._kit = kit
        self._name = name
        self._backoff = BackoffPolicy()

    async def start(self) -> None:
        """The sink is there already."""

    async def write(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged. Raises KafkaRefused when trying again can't help."""
        attempt = 0
        unsent = records
        began = self._kit.clock.monotonic()
        while unsent:
            before = len(unsent)
            unsent, failure = await _send_all(unsent, self._kit.sink.send, self._kit)
            self._kit.metrics.count("records_published", before - len(unsent))
            if unsent:
                attempt += 1
                self._kit.metrics.count("publish_retries", len(unsent))
                self._kit.log.warning(
                    "publishing failed, trying again", topic=unsent[0].topic, error=str(failure)
                )
                await asyncio.sleep(self._backoff.pause(self._name, attempt))
        _observe(self._kit, "publish_seconds", began)

    async def seal(self, standing: Standing) -> None:
        """Whoever commits does it for all partitions together."""

    async def stop(self) -> None:
        """The sink is not ours."""


class TransactionWriter:
    """Writes within a transaction that a seal commits, with the offset: exactly once.

    Any failure leaves the outcome open, and only what is durable tells: nothing is tried again.
    """

    def __init__(self, kit: Kit, transactor: Transactor) -> None:
        self._kit = kit
        self._transactor = transactor
        self._open = False

    async def start(self) -> None:
        """Keep out whoever wrote for the partition before. Raises KafkaFailed, KafkaRefused."""
        await self._transactor.start()

    async def write(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged, which is before anybody sees them."""
        unsent = records
        began = self._kit.clock.monotonic()
        while unsent:
            await self._begin()
            before = len(unsent)
            unsent, failure = await _send_all(unsent, self._transactor.send, self._kit)
            self._kit.metrics.count("records_published", before - len(unsent))
            if failure is not None and not isinstance(failure, RecordTooLarge):
                raise failure
        _observe(self._kit, "publish_seconds", began)

    async def seal(self, standing: Standing) -> None:
        """Commit. Raises KafkaFailed, after which nobody here knows whether it was done."""
        await self._begin()
        began = self._kit.clock.monotonic()
        try:
            await self._transactor.commit(standing)
        except KafkaFailed:
            self._kit.metrics.count("commit_failures")
            raise
        self._open = False
        self._kit.metrics.count("commits")
        _observe(self._kit, "commit_seconds", began)

    async def stop(self) -> None:
        """An open transaction is left to whoever comes next."""
        await self._transactor.stop()

    async def _begin(self) -> None:
        if not self._open:
            await self._transactor.begin()
            self._open = True


def _observe(kit: Kit, name: MetricName, began: float) -> None:
    kit.metrics.observe(name, kit.clock.monotonic() - began)


Unsent = tuple[Sequence[Outgoing], KafkaFailed | None]
"""What is to be sent again, in order, and the first failure, if there was any."""


async def _send_all(records: Sequence[Outgoing], send: Send, kit: Kit) -> Unsent:
    """Send these and await their acknowledgement. Raises KafkaRefused."""
    sent: list[tuple[Outgoing, asyncio.Future[None]]] = []
    open_writes: deque[asyncio.Future[None]] = deque()
    for record in records:
        sent.append(await _hand_over(record, send, kit))
        open_writes.append(sent[-1][1])
        while open_writes and _is_written(open_writes[0]):
            open_writes.popleft()
        if open_writes and (_failure(open_writes[0]) or _failure(open_writes[-1])):
            break  # what follows must not overtake it
    await asyncio.gather(*(written for _, written in sent), return_exceptions=True)
    failed = [(record, why) for record, written in sent if (why := _failure(written)) is not None]
    again = [_retried(record, why, kit) for record, why in failed]
    grave = [why for _, why in failed if not isinstance(why, RecordTooLarge)]
    first = grave[0] if grave else failed[0][1] if failed else None
    return [*again, *records[len(sent) :]], first


async def _hand_over(
    record: Outgoing, send: Send, kit: Kit
) -> tuple[Outgoing, "asyncio.Future[None]"]:
    """Send this, as much of it as the client takes; returns what was sent."""
    while True:
        try:
            written = await send(record)
        except KafkaFailed as failure:
            written = _failed(failure)
        problem = _failure(written)
        if not isinstance(problem, RecordTooLarge):
            return record, written
        record = _reduced(record, problem, kit)


def _retried(record: Outgoing, failure: KafkaFailed, kit: Kit) -> Outgoing:
    if isinstance(failure, KafkaRefused):
        raise failure
    if isinstance(failure, RecordTooLarge):
        return _reduced(record, failure, kit)
    return record


def _reduced(record: Outgoing, failure: RecordTooLarge, kit: Kit) -> Outgoing:
    """What can still be said of a record that is too large: all but its value, else only where
    a dead letter came from. Raises KafkaRefused when even that is too much, and for a checkpoint.
    """
    origin = tuple(header for header in record.headers if header[0].startswith(PREFIX))
    if record.value is not None and record.topic != kit.checkpoint_topic:
        kit.log.error(
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
