"""A second reader of the input topic, outside the group, for audio that was forgotten.

Sessions of one partition ask at the same time, after an outage all of them, and each for few of
its records. So the reader sweeps a partition once for all who wait, and what one sweep costs
doesn't grow with their number.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.adapters.kafka.arguments import loner_arguments
from consumer.adapters.kafka.errors import ours
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.records import record
from consumer.errors import KafkaFailed, LocalProtocolError
from consumer.model import Offset, Partition, Record

_JUMP: Final = 500
"""Records that it is cheaper to read and drop than to seek over, which costs a round trip."""
_POLL_MS: Final = 500


class _Want:
    """One call of `read`."""

    def __init__(self, offsets: Sequence[Offset]) -> None:
        self.offsets = offsets
        self.found: dict[Offset, Record | None] = dict.fromkeys(offsets)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class KafkaReplay:
    """A `ports.Replay` by aiokafka. Connects at the first call; one task sweeps."""

    def __init__(self, kafka: KafkaOptions, options: ReplayOptions) -> None:
        self._kafka = kafka
        self._options = options
        self._client: AIOKafkaConsumer | None = None
        self._wants: dict[Partition, list[_Want]] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._stopped = False

    async def read(
        self, partition: Partition, offsets: Sequence[Offset]
    ) -> Mapping[Offset, Record | None]:
        """The records at these ascending offsets; None for what is no longer there.

        Raises KafkaFailed, also when it takes longer than the options allow.
        """
        if self._stopped:
            raise LocalProtocolError("the replay reader is stopped")
        if not offsets:
            return {}
        want = _Want(offsets)
        self._wants.setdefault(partition, []).append(want)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep_all(), name="replay")
        try:
            async with asyncio.timeout(self._options.timeout_seconds):
                await want.done
        except TimeoutError as error:
            seconds = self._options.timeout_seconds
            raise KafkaFailed(f"reading {partition} again took over {seconds:g} s") from error
        return want.found

    async def stop(self) -> None:
        """Disconnect; calls that wait fail."""
        self._stopped = True
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            await asyncio.wait([sweeper])
        for wants in self._wants.values():
            _fail(wants, asyncio.CancelledError("the replay reader was stopped"), "can't read")
        self._wants.clear()
        await self._disconnect()

    async def _sweep_all(self) -> None:
        """Serve partition after partition until nobody waits; a newcomer's sweep comes next."""
        try:
            while self._wants:
                partition = next(iter(self._wants))
                wants = [w for w in self._wants.pop(partition) if not w.done.done()]
                try:
                    await self._sweep(partition, wants)
                except BaseException as error:
                    _fail(wants, error, f"can't read {partition} again")
                    if not isinstance(error, Exception):
                        raise
                    await self._disconnect()
        finally:
            self._sweeper = None

    async def _sweep(self, partition: Partition, wants: list[_Want]) -> None:
        """Read upwards through all that is wanted and hand it out. Raises errors of any kind."""
        asked: dict[Offset, list[_Want]] = {}
        for want in wants:
            for offset in want.offsets:
                asked.setdefault(offset, []).append(want)
        client = await self._connected()
        place = TopicPartition(partition.topic, partition.number)
        client.assign([place])
        first = (await client.beginning_offsets([place]))[place]
        end = (await client.end_offsets([place]))[place]
        waiting = sorted((o for o in asked if first <= o < end), reverse=True)
        await self._read_up(client, place, waiting, asked)
        client.pause(place)  # or it would go on fetching what nobody asked for
        for want in wants:
            if not want.done.done():
                want.done.set_result(None)

    async def _read_up(
        self,
        client: AIOKafkaConsumer,
        place: TopicPartition,
        waiting: list[Offset],
        asked: Mapping[Offset, list[_Want]],
    ) -> None:
        partition = Partition(*place)
        position: int | None = None
        while waiting and not all(w.done.done() for o in waiting for w in asked[o]):
            if position is None or waiting[-1] > position + _JUMP:
                client.seek(place, waiting[-1])
            batch = await client.getmany(place, timeout_ms=_POLL_MS)
            for read in batch.get(place, ()):
                wants = asked.get(read.offset)
                if wants:
                    found = record(partition, read)
                    for want in wants:
                        want.found[found.offset] = found
            position = await client.position(place)
            # What was passed without being seen was deleted, compacted away or never committed.
            while waiting and waiting[-1] < position:
                waiting.pop()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(**loner_arguments(self._kafka, self._options))
            self._client = client
            patience = self._kafka.request_timeout_seconds
            await reach(client.start, patience, self._kafka, "can't connect to read audio again")
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await leave(client.stop, self._kafka.stop_timeout_seconds)


def _fail(wants: Iterable[_Want], error: BaseException, doing: str) -> None:
    for want in wants:
        if not want.done.done():
            failure = ours(error, doing)
            failure.__cause__ = error
            want.done.set_exception(failure)
