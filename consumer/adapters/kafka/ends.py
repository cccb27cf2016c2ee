"""Where a partition ends, by what a fetch says of it.

Brokers are asked for the end elsewhere. But the embedded broker answers that question with the
place behind the first record of the newest batch, so a group that has read everything would seem to
stand behind the end. What it says beside fetched records is right.
"""

from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.adapters.kafka.arguments import loner_arguments
from consumer.adapters.kafka.errors import translated
from consumer.adapters.kafka.leave import leave
from consumer.adapters.kafka.options import KafkaOptions, ReplayOptions
from consumer.adapters.kafka.reach import reach
from consumer.model import Offset, Partition

_WAIT_MS: Final = 2_000
"""Longer than a broker waits before it says that there is nothing."""


async def fetched_end(kafka: KafkaOptions, partition: Partition, at: Offset) -> Offset:
    """The offset after the last record, at least `at`, from where on it fetches.

    Raises KafkaFailed, KafkaRefused.
    """
    doing = f"can't look for the end of partition {partition.number} of {partition.topic}"
    place = TopicPartition(*partition)
    client = AIOKafkaConsumer(**loner_arguments(kafka, ReplayOptions()))
    try:
        await reach(client.start, kafka.request_timeout_seconds, kafka, doing)
        client.assign([place])
        client.seek(place, at)
        with translated(doing, "Read"):
            await client.getmany(place, timeout_ms=_WAIT_MS)
        return Offset(max(at, client.highwater(place) or at))
    finally:
        await leave(client.stop, kafka.stop_timeout_seconds)
