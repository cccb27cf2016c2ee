"""Looks again and again at what the group has committed."""

import asyncio
import time
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from tests.chaos.names import PARTITIONS, Names
from tests.chaos.oracle.facts import Commit
from tests.chaos.patience import TooLong, within

_PAUSE_SECONDS = 0.3
"""What a zombie rewinds stays so until the next commit of whoever owns the partition."""
_ASK_SECONDS = 10.0


class Commits:
    """What was seen, in order of time."""

    def __init__(self, bootstrap: str, names: Names) -> None:
        self.seen: list[Commit] = []
        self._bootstrap = bootstrap
        self._group = names.group
        self._places = [TopicPartition(names.input, number) for number in range(PARTITIONS)]

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def look(self) -> Mapping[int, int]:
        """What is committed now, by partition; what brokers won't tell just now is left out."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=5_000)
        try:
            found = await within(_ASK_SECONDS, self._ask(admin), "the committed offsets")
        except (KafkaError, TooLong):
            return {}
        finally:
            await within(_ASK_SECONDS, admin.close(), "the disconnecting of who has asked")
        offsets = {place.partition: one.offset for place, one in found.items() if one.offset >= 0}
        self.seen.append(Commit(time.time_ns() // 1_000_000, offsets))
        return offsets

    async def _ask(self, admin: AIOKafkaAdminClient) -> Mapping[TopicPartition, OffsetAndMetadata]:
        await admin.start()
        found: Mapping[TopicPartition, OffsetAndMetadata]
        found = await admin.list_consumer_group_offsets(self._group, partitions=self._places)
        return found

    async def lag(self, ends: Mapping[int, int]) -> int:
        """Records that are not committed; ends: after the last record of each partition."""
        committed = await self.look()
        return sum(max(0, end - committed.get(number, 0)) for number, end in ends.items())

    def longest_stall(self) -> float:
        """The longest time in seconds for which a partition's committed offset stood still."""
        longest = 0.0
        for number in range(PARTITIONS):
            seen = [(c.at_ms, c.offsets[number]) for c in self.seen if number in c.offsets]
            since, last = seen[0] if seen else (0, 0)
            for at, offset in seen:
                if offset != last:
                    since, last = at, offset
                longest = max(longest, (at - since) / 1000)
        return longest
