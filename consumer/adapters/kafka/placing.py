"""Where to begin with a partition: at an offset that is still there, or where the options say."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumer.adapters.kafka.ends import fetched_end
from consumer.adapters.kafka.errors import translated
from consumer.adapters.kafka.options import KafkaOptions, SourceOptions
from consumer.errors import KafkaRefused
from consumer.model import Offset, Partition


async def placed(
    consumer: AIOKafkaConsumer,
    kafka: KafkaOptions,
    options: SourceOptions,
    partition: Partition,
    offset: Offset | None,
) -> Offset:
    """The offset to read from.

    Raises KafkaRefused when `offset` no longer exists and the options say so, else KafkaFailed.
    """
    place = TopicPartition(*partition)
    with translated(f"can't look up the offsets of {_name(partition)}", "Read"):
        async with asyncio.timeout(options.commit_timeout_seconds):
            first = Offset((await consumer.beginning_offsets([place]))[place])
            end = Offset((await consumer.end_offsets([place]))[place])
    if offset is not None and offset > end:
        end = await fetched_end(kafka, partition, end)
    if offset is None:
        return first if options.start == "earliest" else end
    if first <= offset <= end:
        return offset
    if options.out_of_range == "stop":
        gone = "retention deleted it" if offset < first else "the topic was made anew"
        raise KafkaRefused(
            f"{_name(partition)} holds offsets {first} to {end}, but reading goes on at "
            f"{offset}: {gone}. Audio was lost or the group is not this topic's. To go on, "
            "set kafka.out_of_range to earliest or latest, or reset the group's offsets"
        )
    return first if options.out_of_range == "earliest" else end


def _name(partition: Partition) -> str:
    return f"partition {partition.number} of {partition.topic}"
