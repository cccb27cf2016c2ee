"""Looking at topics and making them."""

from collections.abc import AsyncIterator, Iterable, Mapping

import pytest
import pytest_asyncio
from aiokafka import errors as foreign
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumer.adapters.kafka.options import TopicOptions
from consumer.adapters.kafka.topics import _COMPACTED, KafkaTopics, Topic, _topic
from consumer.errors import KafkaRefused
from tests.adapters.broker import Broker
from tests.adapters.worlds import AnyBroker
from tests.kafka.cluster import Cluster


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


@pytest.mark.broker
async def test_brokers_that_do_not_tell_of_rights_are_believed(broker: Broker) -> None:
    """Old ones and simple ones: what is not allowed shows when it is done."""
    name = broker.fresh("in")
    async with KafkaTopics(broker.options) as topics:
        await topics.create([name], partitions=1, copies=1)
        assert await topics.rights([name]) == {name: None}


async def test_says_which_right_is_missing() -> None:
    """A topic that may not be seen is refused with its name and the right it takes."""
    code = foreign.TopicAuthorizationFailedError.errno
    with pytest.raises(KafkaRefused, match=r"can't look at secret.*grant this user rights"):
        _topic({"error_code": code, "topic": "secret", "partitions": []})


@pytest.mark.kafka
async def test_makes_checkpoints_compacted(apache_kafka: Cluster) -> None:
    """The checkpoint topic gets the input's partitions, small segments and prompt compaction."""
    source, states = apache_kafka.fresh("in"), apache_kafka.fresh("states")
    options = TopicOptions(input=source, checkpoints=states)
    async with KafkaTopics(apache_kafka.options) as topics:
        await topics.create([source], partitions=3, copies=1)
        for _ in range(2):
            found = await topics.prepare(options)
            assert found == dict.fromkeys((source, states), Topic(3, 1))
        assert await settings_of(topics, source, _COMPACTED) != dict(_COMPACTED)
        assert await settings_of(topics, states, _COMPACTED) == dict(_COMPACTED)


async def settings_of(
    topics: KafkaTopics, name: str, wanted: Iterable[str]
) -> Mapping[str, str | None]:
    """These settings of a topic, as the brokers have them."""
    asked = ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(wanted, ""))
    [answer] = await topics._client.describe_configs([asked])
    [described] = answer.to_object()["resources"]
    return {each["config_names"]: each["config_value"] for each in described["config_entries"]}


@pytest.mark.kafka
@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_refuses_checkpoints_that_brokers_would_delete(
    apache_kafka: Cluster, policy: str
) -> None:
    """A topic whose records go by age would forget calls; it is named with its setting."""
    source, states = apache_kafka.fresh("in"), apache_kafka.fresh("states")
    async with KafkaTopics(apache_kafka.options) as topics:
        await topics.create([source], partitions=1, copies=1)
        await topics.create([states], 1, 1, {"cleanup.policy": policy})
        says = f"{states} keeps checkpoints and must have cleanup.policy=compact, but has {policy}"
        with pytest.raises(KafkaRefused, match=says):
            await topics.prepare(TopicOptions(input=source, checkpoints=states))


async def test_refuses_checkpoints_with_too_few_partitions(
    any_broker: AnyBroker, topics: KafkaTopics
) -> None:
    """Every input partition has checkpoints of its own."""
    source, states = any_broker.fresh("in"), any_broker.fresh("states")
    await topics.create([source], partitions=3, copies=1)
    await topics.create([states], 2, 1, {"cleanup.policy": "compact"})
    with pytest.raises(KafkaRefused, match=f"{states} has 2 partitions and needs the 3"):
        await topics.prepare(TopicOptions(input=source, checkpoints=states))
