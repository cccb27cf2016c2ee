"""What a group has committed, with its metadata, as its coordinator knows it.

Brokers make the place where offsets are kept when somebody first asks for it, and move it when a
broker goes; meanwhile the library raises, or returns an answer that lacks the partitions asked for
because it overlooks the answer's own error. Both mean: ask again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka import errors as foreign
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from consumer.adapters.kafka.errors import translated

_PAUSE_SECONDS: Final = 0.1


async def group_offsets(
    admin: AIOKafkaAdminClient,
    group_id: str,
    places: Sequence[TopicPartition],
    patience_seconds: float,
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """The committed offset of each of these partitions, -1 where there is none.

    Partitions are named because some brokers can't list all of a group's. What a transaction that
    is still open would commit is not in it. Raises KafkaFailed, KafkaRefused.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    with translated(f"can't look at the offsets of group {group_id}"):
        while True:
            try:
                found = await admin.list_consumer_group_offsets(group_id, partitions=list(places))
                if all(place in found for place in places):
                    return {place: found[place] for place in places}
                error: foreign.KafkaError = foreign.GroupLoadInProgressError(group_id)
            except foreign.KafkaError as raised:
                error = raised
            if not error.retriable or loop.time() > deadline:
                raise error
            await asyncio.sleep(_PAUSE_SECONDS)
