"""Making a topic that isn't there, for tools that play the producer's part.

The service itself never makes its input topic: the number of partitions is its operator's choice.
"""

from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.topics import KafkaTopics


async def make_topic(kafka: KafkaOptions, name: str, partitions: int, copies: int = 1) -> bool:
    """Make a topic; False when there is one of this name. copies: of each partition.

    Raises KafkaFailed, KafkaRefused.
    """
    async with KafkaTopics(kafka) as topics:
        return name in await topics.create([name], partitions, copies)
