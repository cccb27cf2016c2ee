"""What the engine needs of the world.

Adapters and fakes pass the same suites. Every method may be cancelled at its await.
"""

from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.core.claim import Standing
from consumer.measures import MetricName
from consumer.model import (
    Milliseconds,
    Offset,
    Outgoing,
    Partition,
    Record,
    StreamConfig,
    StreamMessage,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where reading of a partition stands.

    position: offset of the next record the source will hand out. end: the partition's end as the
    last fetch saw it. fetches: how many fetches have come back; one that is counted after a look
    at this number was not necessarily sent after that look, but the one after it was.
    """

    position: Offset
    end: Offset
    fetches: int


Assigned = Callable[[Collection[Partition]], None]
"""Told at once of partitions that are ours now; must not wait."""
Revoked = Callable[[Collection[Partition], bool], Awaitable[None]]
"""Awaited before partitions are given back; the flag says they are lost, so commit nothing."""


class Source(Protocol):
    """The input topic, read as a member of the consumer group."""

    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        """Join the group. Raises KafkaFailed, KafkaRefused."""
        ...

    async def poll(
        self, without: Collection[Partition], wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        """Records of the assigned partitions that are not in `without`; {} after `wait` seconds.

        Keeps the membership alive even when every partition is left out.
        Raises KafkaFailed, KafkaRefused.
        """
        ...

    async def vouch(self) -> None:
        """Ask the group whether we are in it. Raises OwnershipLost, KafkaFailed."""
        ...

    async def commit(self, standings: Mapping[Partition, Standing]) -> None:
        """Commit these as a member of the group. Raises KafkaFailed, OwnershipLost."""
        ...

    async def standing(self, partition: Partition) -> Standing | None:
        """What is committed, None when nothing is. Raises KafkaFailed, KafkaRefused."""
        ...

    async def place(self, partition: Partition, offset: Offset | None) -> Offset:
        """Where to read from: `offset` if it is there, else where the policies say.

        Raises KafkaFailed, OwnershipLost, and KafkaRefused where the policy says to stop.
        """
        ...

    def begin(self, partition: Partition, position: Offset) -> None:
        """Read from here on. Raises OwnershipLost."""
        ...

    def progress(self, partition: Partition) -> Progress | None:
        """Where reading stands, None when the partition isn't ours or was not fetched yet."""
        ...

    async def stop(self) -> None:
        """Leave the group. Does not call `revoked`."""
        ...


class Sink(Protocol):
    """The output topics."""

    async def start(self) -> None:
        """Connect. Raises KafkaFailed, KafkaRefused."""
        ...

    async def send(self, record: Outgoing) -> "Future[None]":
        """Hand a record over; the future ends when the brokers have acknowledged it.

        Waits while the send buffer is full. The future raises KafkaFailed, KafkaRefused or
        RecordTooLarge.
        """
        ...

    async def stop(self) -> None:
        """Flush and disconnect."""
        ...


class Transactor(Protocol):
    """Writes for one input partition: records and its offset become visible together or never.

    After any error but RecordTooLarge only `stop` and `start` work, and a start ends the doubt.
    """

    async def start(self) -> None:
        """Shut out whoever wrote for this partition before. Raises KafkaFailed, KafkaRefused."""
        ...

    async def begin(self) -> None:
        """Open a transaction. Raises KafkaFailed."""
        ...

    async def send(self, record: Outgoing) -> "Future[None]":
        """As `Sink.send`, within the open transaction."""
        ...

    async def commit(self, standing: Standing) -> None:
        """Commit what was sent, all of it acknowledged, and this. Raises KafkaFailed."""
        ...

    async def stop(self) -> None:
        """Disconnect; an open transaction is left to whoever comes next."""
        ...


class Checkpoints(Protocol):
    """The checkpoint topic."""

    async def read(self, number: int) -> Sequence[Record]:
        """All records of this partition up to its end. Raises KafkaFailed, KafkaRefused."""
        ...


class Replay(Protocol):
    """A second reader of the input topic that belongs to no group."""

    async def read(
        self, partition: Partition, offsets: Sequence[Offset]
    ) -> Mapping[Offset, Record | None]:
        """The records at these ascending offsets; None for what retention has deleted.

        Raises KafkaFailed.
        """
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class DetectionStream(Protocol):
    """One open stream. One task writes, one task reads."""

    @property
    def half_closed(self) -> bool:
        """The half-close has been written."""
        ...

    async def write(self, audio: bytes) -> None:
        """Write one audio message, waiting for flow control. Raises StreamFailed.

        Cancelling it cancels the whole stream.
        """
        ...

    async def half_close(self) -> None:
        """Say that no more audio comes. Raises StreamFailed."""
        ...

    async def read(self) -> StreamMessage | None:
        """The next message; None when the stream ended with OK. Raises StreamFailed.

        Cancelling it cancels the whole stream.
        """
        ...

    def cancel(self) -> None:
        """Give the stream up at once; harmless when it is over."""
        ...


class Analyzer(Protocol):
    """The detection API."""

    async def open(self, config: StreamConfig) -> DetectionStream:
        """Open a stream and send its config first. Raises StreamFailed.

        Returns once the config is written, or once it waits for a connection.
        """
        ...

    async def probe(self) -> None:
        """Bring a stream without audio to its OK, to see whether the API works.

        Raises StreamFailed.
        """
        ...

    async def stop(self) -> None:
        """Close all channels."""
        ...


Labels = tuple[str, ...]
"""Values of labels, in the order of their names."""


class Metrics(Protocol):
    """What is measured, cheap enough for the hot path. labels: values, as `measures` names them."""

    def count(self, name: MetricName, n: float = 1, *labels: str) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: MetricName, value: float) -> None:
        """Set a gauge."""
        ...

    def gauges(self, name: MetricName, total: float, values: Mapping[Labels, float]) -> None:
        """Set all of a gauge with labels; those not named are gone. total: of all of them."""
        ...

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """Add to a histogram."""
        ...


class Log(Protocol):
    """Structured log lines: an event in a few words, and fields."""

    def info(self, event: str, **fields: object) -> None:
        """Something a person may want to know."""
        ...

    def warning(self, event: str, **fields: object) -> None:
        """Something a person should know."""
        ...

    def error(self, event: str, **fields: object) -> None:
        """Something a person must act on."""
        ...


class Clock(Protocol):
    """The two clocks."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def wall_ms(self) -> Milliseconds:
        """Milliseconds since the Unix epoch."""
        ...
