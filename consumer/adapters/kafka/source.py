"""The input topic, read as a member of the consumer group.

The client library rebalances in the background and eagerly: at each rebalance every partition is
given back and assigned anew, and position and pause are gone even where it stays here. So nothing
is read of an assigned partition until `begin` says from where, and all that is known of a
partition dies with its assignment.

Three things the library would do by itself are switched off, because each loses audio or time:
committing, falling back to another offset, and leaving the group when nobody polls for a while.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka import errors as foreign

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import NEVER_MS, member_arguments
from consumer.adapters.kafka.ends import fetched_end
from consumer.adapters.kafka.errors import ours, translated
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.listener import Listener
from consumer.adapters.kafka.options import KafkaOptions, SourceOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.reading import Reading
from consumer.adapters.kafka.records import record
from consumer.adapters.kafka.tolerant import read_tolerantly, strange_name
from consumer.errors import KafkaFailed, KafkaRefused, LocalProtocolError, OwnershipLost
from consumer.model import Offset, Partition, Record
from consumer.ports import Assigned, Progress, Revoked

_SLACK_SECONDS: Final = 0.25
"""The library ends a poll in time, except when a rebalance begins in it; so we look a bit later."""


class KafkaSource:
    """A `ports.Source` by aiokafka."""

    def __init__(self, kafka: KafkaOptions, options: SourceOptions) -> None:
        self._kafka = kafka
        self._options = options
        self._nobody = TopicPartition(options.topic, NEVER_MS)
        self._readings: dict[Partition, Reading] = {}
        self._assigned: Assigned = _ignore
        self._revoked: Revoked = _ignore_revoked
        self._at_rest = asyncio.Event()
        self._failure: BaseException | None = None
        self._client: AIOKafkaConsumer | None = None

    async def start(self, assigned: Assigned, revoked: Revoked) -> None:
        """Join the group and wait for the first assignment. Raises KafkaFailed, KafkaRefused."""
        self._assigned, self._revoked = assigned, revoked
        self._client = AIOKafkaConsumer(**member_arguments(self._kafka, self._options))
        self._client.subscribe(
            [self._options.topic], listener=Listener(self._note_assigned, self._note_revoked)
        )
        patience = self._options.rebalance_timeout_seconds + self._kafka.request_timeout_seconds
        try:
            await reach(self._client.start, patience, self._kafka, "can't join the group")
        except BaseException:
            await self.stop()
            raise

    async def poll(
        self, without: Collection[Partition], wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        """Records of the partitions that were begun and are not in `without`.

        {} after `wait` seconds, and while a rebalance is under way. Raises KafkaFailed, and
        KafkaRefused when an offset is out of range and the options say to stop.
        """
        self._raise_failure()
        if not self._at_rest.is_set():
            await self._rest(wait)
            return {}
        try:
            fetched = await self._fetch(without, wait)
        except TimeoutError:
            return {}
        except Exception as error:
            self._take_back()
            return await self._recover(error)
        self._look()
        return {
            (partition := Partition(*place)): [record(partition, read) for read in reads]
            for place, reads in fetched.items()
        }

    async def commit(self, offsets: Mapping[Partition, Offset]) -> None:
        """Commit the offset of the next record to read. Raises KafkaFailed, OwnershipLost."""
        for partition in offsets:
            self._owned(partition)
        with translated("can't commit"):
            async with asyncio.timeout(self._options.commit_timeout_seconds):
                await self._consumer.commit({_place(p): o for p, o in offsets.items()})

    async def committed(self, partition: Partition) -> Offset | None:
        """The committed offset, None when there is none. Raises KafkaFailed, KafkaRefused."""
        with translated(f"can't read the committed offset of {_name(partition)}"):
            async with asyncio.timeout(self._options.commit_timeout_seconds):
                offset = await self._consumer.committed(_place(partition))
        return None if offset is None else Offset(offset)

    async def begin(self, partition: Partition, offset: Offset | None) -> Offset:
        """Read from `offset`, or from where the start policy says; returns the position.

        Raises OwnershipLost when the partition isn't ours (any more), KafkaRefused when the
        offset no longer exists and the options say to stop, else KafkaFailed.
        """
        reading = self._owned(partition)
        first, end = await self._bounds(partition)
        if offset is not None and offset > end:
            end = await fetched_end(self._kafka, partition, end)
        if offset is None:
            position = first if self._options.start == "earliest" else end
        elif first <= offset <= end:
            position = offset
        else:
            position = self._instead(partition, offset, first, end)
        if self._owned(partition) is not reading:
            raise OwnershipLost(f"{_name(partition)} was assigned anew meanwhile")
        reading.begin(position)
        self._consumer.seek(_place(partition), position)
        self._consumer.resume(_place(partition))
        return position

    def progress(self, partition: Partition) -> Progress | None:
        """Where reading stands, None when the partition isn't ours or was not fetched yet.

        Only fetches whose records were all handed out count, so a partition that is left out of
        the polls while records wait makes no progress. The end is the last stable offset.
        """
        reading = self._readings.get(partition)
        if reading is None or reading.position is None:
            return None
        place = _place(partition)
        state = inside.state(self._consumer, place)
        if state is None or state.highwater is None:
            return None
        if not inside.holds_records(self._consumer, place):
            reading.look(state.timestamp)
        end = state.highwater if state.lso is None or state.lso < 0 else state.lso
        return Progress(reading.position, Offset(end), reading.fetches)

    async def stop(self) -> None:
        """Leave the group. Does not call `revoked`; what doesn't end in time is left to itself."""
        client, self._client = self._client, None
        self._readings.clear()
        if client is None:
            return
        inside.leave_first_generation(client)
        await leave(client.stop, self._kafka.stop_timeout_seconds)

    def _note_assigned(self, places: Collection[TopicPartition]) -> None:
        """The group gave us these partitions; nothing is read of them before `begin`."""
        if self._client is None:
            return  # a rebalance that ends while we stop
        partitions = [Partition(*place) for place in places]
        self._readings = {partition: Reading() for partition in partitions}
        self._client.pause(*places)
        self._at_rest.set()
        try:
            self._assigned(partitions)
        except Exception as error:
            self._failure = error

    async def _note_revoked(self) -> None:
        """The group wants all partitions back, or took them already."""
        self._at_rest.clear()
        if self._client is None or not self._readings:
            return
        try:
            lost = inside.generation(self._client) < 0
            await self._revoked(tuple(self._readings), lost)
        except Exception as error:
            self._failure = error
        finally:
            self._readings.clear()

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise LocalProtocolError("the source was not started or is stopped")
        return self._client

    async def _fetch(
        self, without: Collection[Partition], wait: float
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord[bytes | None, bytes | None]]]:
        wanted = [
            _place(partition)
            for partition, reading in self._readings.items()
            if reading.position is not None and partition not in without
        ]
        # Nothing wanted must not mean everything, so a partition is asked for that nobody has.
        async with asyncio.timeout(wait + _SLACK_SECONDS):
            fetched: Mapping[
                TopicPartition, Sequence[ConsumerRecord[bytes | None, bytes | None]]
            ] = await self._consumer.getmany(
                *(wanted or [self._nobody]), timeout_ms=int(wait * 1000)
            )
        return fetched

    async def _rest(self, wait: float) -> None:
        """Wait for a rebalance to end. Raises KafkaFailed, KafkaRefused."""
        with translated("can't join the group again"):
            inside.raise_group_errors(self._consumer)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._at_rest.wait()

    def _look(self) -> None:
        """Take over what the library says of each partition after it handed records out."""
        for partition, reading in self._readings.items():
            place = _place(partition)
            state = inside.state(self._consumer, place)
            if reading.position is None or state is None or not state.has_valid_position:
                continue
            reading.position = Offset(state.position)
            if not inside.holds_records(self._consumer, place):
                reading.look(state.timestamp)

    def _take_back(self) -> None:
        """Undo what a failed poll consumed: the library drops what it had read before it failed."""
        for partition, reading in self._readings.items():
            state = inside.state(self._consumer, _place(partition))
            if reading.position is not None and state is not None:
                self._consumer.seek(_place(partition), reading.position)

    async def _recover(self, error: Exception) -> Mapping[Partition, Sequence[Record]]:
        """Go on as the options say where that is possible. Raises KafkaFailed otherwise."""
        if strange_name(error) and read_tolerantly():
            return {}
        if not isinstance(error, foreign.OffsetOutOfRangeError):
            if isinstance(error, foreign.RecordTooLargeError):
                text = "a record is larger than the fetch size; raise the partition's fetch bytes"
                raise KafkaRefused(text) from error
            raise ours(error, "can't read") from error
        missed: Iterable[TopicPartition] = error.args[0]
        for partition in (Partition(*place) for place in missed):
            reading = self._readings.get(partition)
            if reading is not None:
                await self.begin(partition, reading.position)
        return {}

    async def _bounds(self, partition: Partition) -> tuple[Offset, Offset]:
        place = _place(partition)
        with translated(f"can't look up the offsets of {_name(partition)}"):
            async with asyncio.timeout(self._options.commit_timeout_seconds):
                first = await self._consumer.beginning_offsets([place])
                end = await self._consumer.end_offsets([place])
        return Offset(first[place]), Offset(end[place])

    def _instead(self, partition: Partition, offset: Offset, first: Offset, end: Offset) -> Offset:
        if self._options.out_of_range == "stop":
            gone = "retention deleted it" if offset < first else "the topic was made anew"
            raise KafkaRefused(
                f"{_name(partition)} holds offsets {first} to {end}, but reading goes on at "
                f"{offset}: {gone}. Audio was lost or the group is not this topic's. To go on, "
                "set kafka.out_of_range to earliest or latest, or reset the group's offsets"
            )
        return first if self._options.out_of_range == "earliest" else end

    def _owned(self, partition: Partition) -> Reading:
        reading = self._readings.get(partition)
        if reading is None or inside.generation(self._consumer) < 0:
            raise OwnershipLost(f"{_name(partition)} is not ours")
        return reading

    def _raise_failure(self) -> None:
        """Errors in the background, which nobody else would report."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if inside.fetches_no_more(self._consumer):
            raise KafkaFailed("fetching in the background has ended; start anew")


def _place(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


def _name(partition: Partition) -> str:
    return f"partition {partition.number} of {partition.topic}"


def _ignore(partitions: Collection[Partition]) -> None:
    """Nobody listens yet."""


async def _ignore_revoked(partitions: Collection[Partition], lost: bool) -> None:
    """Nobody listens yet."""
