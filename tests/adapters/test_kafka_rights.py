"""Rights, on brokers that count them."""

from dataclasses import replace

import pytest

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.group_offsets import group_offsets
from consumer.adapters.kafka.options import SourceOptions, TopicOptions
from consumer.adapters.kafka.rights import group_rights, lacks
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.errors import KafkaRefused
from tests.adapters.member import joined
from tests.kafka.cluster import Cluster
from tests.kafka.rights import Rule, grant, take_back

pytestmark = pytest.mark.kafka


async def made(kafka: Cluster, *stems: str) -> list[str]:
    """Topics of one partition."""
    names = [kafka.fresh(stem) for stem in stems]
    for name in names:
        await make_topic(kafka.options, name, 1)
    return names


async def test_brokers_tell_what_is_allowed(guarded_kafka: Cluster) -> None:
    """Of each topic; nothing for one that may not be seen, and unknown for one that isn't there."""
    read, written, hidden = await made(guarded_kafka, "read", "written", "hidden")
    missing = guarded_kafka.fresh("missing")
    await grant(
        guarded_kafka,
        Rule("topic", read, "Read"),
        Rule("topic", written, "Write"),
        Rule("topic", missing, "Write"),
    )
    async with KafkaTopics(guarded_kafka.login_options) as topics:
        assert await topics.rights([read, written, hidden, missing]) == {
            read: {"Read"},
            written: {"Write"},
            hidden: set(),
            missing: None,
        }


async def test_brokers_tell_what_is_allowed_with_a_group(guarded_kafka: Cluster) -> None:
    """To look at it is not enough for a member; who may not even do that is refused."""
    [topic] = await made(guarded_kafka, "in")
    mine, seen, hidden = (guarded_kafka.fresh("group") for _ in range(3))
    rules = (Rule("topic", topic, "Read"), Rule("group", mine, "Read"))
    await grant(guarded_kafka, *rules, Rule("group", seen, "Describe"))
    async with KafkaTopics(guarded_kafka.login_options) as topics:
        await group_offsets(topics._client, mine, [], 20.0)  # waits for a coordinator
        assert await group_rights(topics._client, mine) == frozenset({"Read"})
        assert await group_rights(topics._client, seen) == frozenset()
        with pytest.raises(KafkaRefused, match="grant this user Read on the consumer group"):
            await group_rights(topics._client, hidden)


async def test_a_cluster_without_rules_allows_everything(apache_kafka: Cluster) -> None:
    """Where nobody counts rights, none is missing."""
    [topic] = await made(apache_kafka, "free")
    async with KafkaTopics(apache_kafka.options) as topics:
        found = await topics.rights([topic])
    assert lacks(found[topic], ("Read", "Write")) == []


async def test_all_that_is_missing_is_told_at_once(guarded_kafka: Cluster) -> None:
    """Nobody has to start the service five times to learn of five rights."""
    source, results, states = await made(guarded_kafka, "in", "results", "states")
    await grant(guarded_kafka, Rule("topic", states, "Read"))
    options = TopicOptions(input=source, outputs=(results,), checkpoints=states)
    says = f"Read on the topic {source}; Write on the topic {results}; Write on the topic {states}$"
    async with KafkaTopics(guarded_kafka.login_options) as topics:
        with pytest.raises(KafkaRefused, match=says):
            await topics.prepare(options)


async def test_the_right_to_make_a_topic_is_told(guarded_kafka: Cluster) -> None:
    """A missing output takes it, or somebody else who makes it."""
    [source] = await made(guarded_kafka, "in")
    missing = guarded_kafka.fresh("results")
    rules = (Rule("topic", source, "Read"), Rule("topic", missing, "Write"))
    await grant(guarded_kafka, *rules)
    options = TopicOptions(input=source, outputs=(missing,))
    async with KafkaTopics(guarded_kafka.login_options) as topics:
        with pytest.raises(KafkaRefused, match=rf"{missing}.*grant this user Create on the topic"):
            await topics.prepare(options)
        await grant(guarded_kafka, Rule("topic", missing, "Create"))
        assert (await topics.prepare(options))[missing].partitions == 1


async def test_an_input_that_is_hidden_is_told(guarded_kafka: Cluster) -> None:
    """The group gives out nothing of it any more, and a reader of nothing would wait for ever."""
    [topic] = await made(guarded_kafka, "in")
    group = guarded_kafka.fresh("group")
    reading = Rule("topic", topic, "Read")
    await grant(guarded_kafka, reading, Rule("group", group, "Read"))
    kafka = replace(guarded_kafka.login_options, refresh_seconds=0.2)
    async with joined(KafkaSource(kafka, SourceOptions(topic=topic, group_id=group))) as member:
        await take_back(guarded_kafka, reading)
        await member.assignments(2)
        assert member.partitions == set()
        with pytest.raises(KafkaRefused, match=rf"{topic} \(grant this user Read on the topic\)"):
            await member.source.poll((), 0.1)
