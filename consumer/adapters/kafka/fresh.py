"""Making a topic that isn't there, for tools that play the producer's part.

The service itself never makes its input topic: the number of partitions is its operator's choice.
"""

from aiokafka import errors as foreign
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from consumer.adapters.kafka.arguments import client_arguments
from consumer.adapters.kafka.errors import ours, translated
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.reach import reach


async def make_topic(kafka: KafkaOptions, name: str, partitions: int, copies: int = 1) -> bool:
    """Make a topic; False when there is one of this name. copies: of each partition.

    Raises KafkaFailed, KafkaRefused.
    """
    admin = AIOKafkaAdminClient(**client_arguments(kafka))
    doing = f"can't create {name}"
    try:
        await reach(admin.start, kafka.request_timeout_seconds, kafka, "can't reach Kafka")
        with translated(doing):
            answer = await admin.create_topics([NewTopic(name, partitions, copies)])
    finally:
        await admin.close()
    for _, code, message in answer.topic_errors:
        if code == foreign.TopicAlreadyExistsError.errno:
            return False
        if code:
            raise ours(foreign.for_code(code)(message), doing)
    return True
