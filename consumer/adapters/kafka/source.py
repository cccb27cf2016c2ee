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
from functools import partial
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka import errors as foreign

from consumer.adapters.kafka import inside
from consumer.adapters.kafka.arguments import NEVER_MS, member_arguments
from consumer.adapters.kafka.commits import Commits
from consumer.adapters.kafka.errors import ours, translated
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.listener import Listener
from consumer.adapters.kafka.options import KafkaOptions, SourceOptions
from consumer.adapters.kafka.placing import placed
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.reading import Reading
from consumer.adapters.kafka.records import record
from consumer.adapters.kafka.standings import Standings
from consumer.adapters.kafka.tolerant import read_tolerantly, strange_name
from consumer.codec.claims import write_claim
from consumer.core.claim import Standing
from consumer.errors import KafkaFailed, KafkaRefused, LocalProtocolError, OwnershipLost
from consumer.model import Offset, Partition, Record
from consumer.ports import Assigned, Progress, Revoked

Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes | None, bytes | None]]]
_SLACK_SECONDS: Final = 0.25  # a rebalance that begins in a poll makes the library forget its time


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
        self._limit: asyncio.Timeout | None = None
        self._client: AIOKafkaConsumer | None = None
        self._commits = Commits()
        self._standings = Standings(kafka, options.group_id, options.commit_timeout_seconds)

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

        {} after `wait` seconds, and in a rebalance. Raises KafkaFailed; KafkaRefused as `place`.
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

    async def vouch(self) -> None:
        """Ask the group whether we are still in it. Raises OwnershipLost, KafkaFailed."""
        with translated("can't ask the group whether we are in it"):
            async with asyncio.timeout(self._options.commit_timeout_seconds):
                if not await inside.heartbeat(self._consumer):
                    raise OwnershipLost("the group does not know this member just now")

    async def commit(self, standings: Mapping[Partition, Standing]) -> None:
        """Commit these as a member of the group. Raises KafkaFailed, OwnershipLost."""
        for partition in standings:
            self._owned(partition)
        with translated("can't commit", "Read"):
            async with asyncio.timeout(self._options.commit_timeout_seconds):
                said = {_place(p): (s.offset, write_claim(s.claim)) for p, s in standings.items()}
                await self._commits.run(self._consumer.commit(said))

    async def standing(self, partition: Partition) -> Standing | None:
        """What is committed, None when nothing is. Raises KafkaFailed, KafkaRefused."""
        return await self._standings.read(partition)

    async def place(self, partition: Partition, offset: Offset | None) -> Offset:
        """Where to read from: `offset` if it is there, else where the options say.

        Raises KafkaRefused when it no longer exists and the options say so, else KafkaFailed.
        """
        return await placed(self._consumer, self._kafka, self._options, partition, offset)

    def begin(self, partition: Partition, position: Offset) -> None:
        """Read from here on; a poll under way, which does not know of it, ends early.

        Raises OwnershipLost when the partition isn't ours (any more).
        """
        self._owned(partition).begin(position)
        self._consumer.seek(_place(partition), position)
        self._consumer.resume(_place(partition))
        if (limit := self._limit) and not limit.expired():
            limit.reschedule(0)

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
        """Leave the group, without `revoked`; what doesn't end in time is left to itself."""
        client, self._client = self._client, None
        self._readings.clear()
        async with asyncio.TaskGroup() as partings:
            partings.create_task(self._standings.stop(), name="disconnect")
            if client is not None:
                inside.leave_first_generation(client)
                quitting = partial(self._quit, client)
                partings.create_task(
                    leave(quitting, self._kafka.stop_timeout_seconds), name="leave the group"
                )

    async def _quit(self, client: AIOKafkaConsumer) -> None:
        """Stop it; where it is joining the group just now, it leaves without waiting for that."""
        async with asyncio.TaskGroup() as partings:
            partings.create_task(client.stop(), name="stop the consumer")
            if not self._at_rest.is_set():
                partings.create_task(inside.quit_join(client), name="quit joining")

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
            self._commits.cut_off()

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise LocalProtocolError("the source was not started or is stopped")
        return self._client

    async def _fetch(self, without: Collection[Partition], wait: float) -> Fetched:
        wanted = [
            _place(partition)
            for partition, reading in self._readings.items()
            if reading.position is not None and partition not in without
        ]
        # Nothing wanted must not mean everything, so a partition is asked for that nobody has.
        async with asyncio.timeout(wait + _SLACK_SECONDS) as limit:
            self._limit = limit
            try:
                fetched: Fetched = await self._consumer.getmany(
                    *(wanted or [self._nobody]), timeout_ms=int(wait * 1000)
                )
            finally:
                self._limit = None
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
            raise ours(error, "can't read", "Read") from error
        missed: Iterable[TopicPartition] = error.args[0]
        for partition in (Partition(*place) for place in missed):
            reading = self._readings.get(partition)
            if reading is not None:
                position = await self.place(partition, reading.position)
                if self._readings.get(partition) is reading:
                    self.begin(partition, position)
        return {}

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
        if inside.hidden(self._consumer, self._options.topic):
            error = foreign.TopicAuthorizationFailedError(self._options.topic)
            raise ours(error, "can't see the input topic any more", "Read")
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
