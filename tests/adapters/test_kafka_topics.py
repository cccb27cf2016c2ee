"""Looking at topics and making them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka import errors as foreign

from consumer.adapters.kafka.options import TopicOptions
from consumer.adapters.kafka.topics import KafkaTopics, Topic, _topic
from consumer.errors import KafkaRefused
from tests.adapters.worlds import AnyBroker


@pytest_asyncio.fixture
async def topics(any_broker: AnyBroker) -> AsyncIterator[KafkaTopics]:
    """A connection to the broker's topics."""
    async with KafkaTopics(any_broker.options) as connected:
        yield connected


async def test_makes_missing_outputs_like_the_input(
    any_broker: AnyBroker, topics: KafkaTopics
) -> None:
    """Outputs get the input's number of partitions; what exists stays as it is."""
    source, results, letters = (any_broker.fresh(stem) for stem in ("in", "results", "dlq"))
    await topics.create([source, letters], partitions=3, copies=1)
    for _ in range(2):
        found = await topics.prepare(TopicOptions(input=source, outputs=(results, letters)))
        assert found == dict.fromkeys((source, results, letters), Topic(3, 1))


async def test_looks_without_making(any_broker: AnyBroker, topics: KafkaTopics) -> None:
    """A topic that is only looked at does not come into being."""
    name = any_broker.fresh("nowhere")
    for _ in range(2):
        assert await topics.look([name]) == {name: None}


async def test_refuses_a_missing_input(any_broker: AnyBroker, topics: KafkaTopics) -> None:
    """Nobody but its producers may create the input; the message says its name."""
    name = any_broker.fresh("missing")
    with pytest.raises(KafkaRefused, match=f"input topic {name} does not exist"):
        await topics.prepare(TopicOptions(input=name))
    assert await topics.look([name]) == {name: None}


async def test_refuses_an_output_with_too_few_partitions(
    any_broker: AnyBroker, topics: KafkaTopics
) -> None:
    """An output that can't hold the input's partition numbers is refused; a larger one is fine."""
    source, small, large = (any_broker.fresh(stem) for stem in ("in", "small", "large"))
    await topics.create([source], partitions=4, copies=1)
    await topics.create([small], partitions=2, copies=1)
    await topics.create([large], partitions=8, copies=1)
    await topics.prepare(TopicOptions(input=source, outputs=(large,)))
    with pytest.raises(KafkaRefused, match=f"{small} has 2 partitions and needs the 4"):
        await topics.prepare(TopicOptions(input=source, outputs=(large, small)))


async def test_makes_nothing_when_told_so(any_broker: AnyBroker, topics: KafkaTopics) -> None:
    """With creation off, missing outputs are named with what they need."""
    source, results = any_broker.fresh("in"), any_broker.fresh("results")
    await topics.create([source], partitions=4, copies=1)
    options = TopicOptions(input=source, outputs=(results,), create=False)
    with pytest.raises(KafkaRefused, match=f"missing topics: {results}; create each with 4"):
        await topics.prepare(options)
    assert await topics.look([results]) == {results: None}


async def test_refuses_a_name_that_brokers_refuse(topics: KafkaTopics) -> None:
    """What a broker or the library refuses becomes our error with a way out."""
    with pytest.raises(KafkaRefused, match="check the name of the topic"):
        await topics.create(["in"], partitions=1, copies=-1)


async def test_says_which_right_is_missing() -> None:
    """A topic that may not be seen is refused with its name and the right it takes."""
    code = foreign.TopicAuthorizationFailedError.errno
    with pytest.raises(KafkaRefused, match=r"can't look at secret.*needs rights on the topic"):
        _topic({"error_code": code, "topic": "secret", "partitions": []})
