"""A service that logs in, on a cluster where only what was granted is allowed."""

from collections.abc import Mapping
from typing import Literal

from consumer.adapters.kafka.options import TopicOptions
from consumer.adapters.kafka.topics import KafkaTopics
from tests.e2e.stage import Stage
from tests.e2e.topics import Names
from tests.kafka.cluster import Cluster
from tests.kafka.properties import PASSWORD, USER
from tests.kafka.rights import Rule

Delivery = Literal["at_least_once", "exactly_once"]


def checkpoints(names: Names) -> str:
    """The checkpoint topic's default name."""
    return f"{names.group}-{names.input}-checkpoints"


def rules(names: Names, delivery: Delivery) -> Mapping[str, Rule]:
    """The rights that docs/delivery.md asks for, each under what it is for."""
    states = checkpoints(names)
    needed = {
        "input": Rule("topic", names.input, "Read"),
        "results": Rule("topic", names.results, "Write"),
        "sessions": Rule("topic", names.sessions, "Write"),
        "letters": Rule("topic", names.letters, "Write"),
        "restoring": Rule("topic", states, "Read"),
        "checkpoints": Rule("topic", states, "Write"),
        "group": Rule("group", names.group, "Read"),
    }
    if delivery == "exactly_once":
        prefix = f"{names.group}:{names.input}:"
        needed["transactions"] = Rule("transactional id", prefix, "Write", prefix=True)
    return needed


def login(kafka: Cluster) -> dict[str, object]:
    """Settings of a consumer that logs in."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": kafka.login,
        "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA__SASL_MECHANISM": "PLAIN",
        "KAFKA__SASL_USERNAME": USER,
        "KAFKA__SASL_PASSWORD": PASSWORD,
    }


async def make_topics(stage: Stage, kafka: Cluster) -> None:
    """Make those that the stage leaves to the service, in place of it."""
    names = stage.names
    outputs = (names.results, names.sessions, names.letters)
    async with KafkaTopics(kafka.options) as topics:
        await topics.prepare(
            TopicOptions(input=names.input, outputs=outputs, checkpoints=checkpoints(names))
        )
