"""What `check` looks at in Kafka: topics, rights, the group, and both ways of writing."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from consumer.adapters.kafka.options import KafkaOptions, TopicOptions
from consumer.adapters.kafka.rights import Rights, lacks
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.tail import KafkaTail
from consumer.adapters.kafka.topics import KafkaTopics, Topic
from consumer.adapters.kafka.transactor import KafkaTransactor
from consumer.app.connect import kafka_options, sink_options, topic_options, transaction_options
from consumer.cli.finding import Finding
from consumer.errors import ConfigurationError, KafkaFailed, KafkaRefused
from consumer.model import Partition
from consumer.settings.kafka import KafkaSettings
from consumer.settings.settings import Delivery, Settings

_READ_SECONDS = 1.0
_TRIAL = "check"
"""Ends a transactional id that is no partition's, so that nobody who works is shut out."""


@dataclass(frozen=True, slots=True)
class _Survey:
    """rights: as far as brokers tell. topics: of those that may be used. fault: of checkpoints."""

    rights: Mapping[str, Rights | None]
    topics: Mapping[str, Topic | None]
    fault: str


async def examine_brokers(settings: Settings) -> AsyncIterator[Finding]:
    """All looks, each told as soon as it is done; one that fails ends those that build on it."""
    kafka = settings.kafka
    wanted = topic_options(kafka)
    try:
        options = kafka_options(kafka)
        survey = await _survey(options, wanted)
    except (KafkaFailed, ConfigurationError) as error:
        advice = "check CONSUMER_KAFKA__BOOTSTRAP_SERVERS and CONSUMER_KAFKA__SECURITY_PROTOCOL"
        yield Finding("Kafka", False, f"{error}; {advice}")
        return
    yield Finding("Kafka", True, f"{kafka.bootstrap_servers} answers, {kafka.security_protocol}")
    source = survey.topics.get(wanted.input)
    for name in wanted.rights:
        if name == wanted.input or source is not None or _lacking(name, survey, wanted):
            yield _topic(name, survey, wanted, source)
    if source is None:
        return
    yield await _reading(kafka, options)
    yield await _group(kafka, options)
    yield await _writing(kafka, options, told=None not in survey.rights.values())
    if settings.delivery is Delivery.EXACTLY_ONCE:
        yield await _transactions(kafka, options)


async def _survey(options: KafkaOptions, wanted: TopicOptions) -> _Survey:
    names = tuple(wanted.rights)
    async with KafkaTopics(options) as topics:
        rights = await topics.rights(names)
        found = await topics.look([name for name in names if rights[name] != frozenset()])
        fault = ""
        if wanted.checkpoints is not None and found.get(wanted.checkpoints) is not None:
            try:
                await topics.check_compacted(wanted.checkpoints)
            except KafkaRefused as error:
                fault = str(error)
    return _Survey(rights, found, fault)


def _lacking(name: str, survey: _Survey, wanted: TopicOptions) -> str:
    return " and ".join(lacks(survey.rights[name], wanted.rights[name]))


def _topic(name: str, survey: _Survey, wanted: TopicOptions, source: Topic | None) -> Finding:
    what = f"topic {name}"
    if lacking := _lacking(name, survey, wanted):
        return Finding(what, False, f"grant this user {lacking} on it, or correct its name")
    if source is None:
        text = "does not exist, or this user may not see it: create it, with at least as many "
        text += "partitions as there may be replicas, or correct CONSUMER_KAFKA__INPUT_TOPIC"
        return Finding(what, False, text)
    allowed = f", {' and '.join(wanted.rights[name])} allowed" if survey.rights[name] else ""
    if name == wanted.input:
        return Finding(what, True, f"input, {_size(source)}{allowed}")
    if name == wanted.checkpoints and survey.fault:
        return Finding(what, False, survey.fault)
    return _output(what, survey.topics.get(name), source, wanted, allowed)


def _output(
    what: str, topic: Topic | None, source: Topic, wanted: TopicOptions, allowed: str
) -> Finding:
    needed = source.partitions
    if topic is None and wanted.create:
        return Finding(what, True, f"not there yet; `run` makes it with {needed} partitions")
    if topic is None:
        text = f"does not exist: create it with {needed} partitions, or set "
        return Finding(what, False, text + "CONSUMER_KAFKA__CREATE_TOPICS=true")
    if topic.partitions < needed:
        text = f"{_partitions(topic)}, but the input has {needed}: add the missing ones"
        return Finding(what, False, text)
    return Finding(what, True, _size(topic) + allowed)


async def _reading(kafka: KafkaSettings, options: KafkaOptions) -> Finding:
    what = f"reading {kafka.input_topic}"
    try:
        async with KafkaTail(options, [kafka.input_topic]) as tail:
            await tail.poll(_READ_SECONDS)
    except KafkaFailed as error:
        return Finding(what, False, str(error))
    return Finding(what, True, "allowed")


async def _group(kafka: KafkaSettings, options: KafkaOptions) -> Finding:
    what = f"group {kafka.group_id}"
    try:
        async with KafkaTail(options, [kafka.input_topic]) as tail:
            committed = await tail.committed(kafka.group_id)
        async with KafkaTopics(options) as topics:
            lacking = lacks(await topics.group_rights(kafka.group_id), ("Read",))
    except KafkaFailed as error:
        return Finding(what, False, str(error))
    if lacking:
        return Finding(what, False, "grant this user Read on it; members need it to join")
    begun = [offset for offset in committed.values() if offset is not None]
    if not begun:
        return Finding(what, True, f"has committed nothing yet; `run` begins at {kafka.start}")
    return Finding(what, True, f"has offsets in {len(begun)} of {len(committed)} partitions")


async def _writing(kafka: KafkaSettings, options: KafkaOptions, *, told: bool) -> Finding:
    sink = KafkaSink(options, sink_options(kafka))
    try:
        await sink.start()
    except KafkaFailed as error:
        return Finding("writing", False, str(error))
    await sink.stop()
    text = f"can start, {'idempotently' if kafka.idempotent else 'without idempotence'}"
    if not told:
        text += "; whether each topic may be written shows only when it is"
    return Finding("writing", True, text)


async def _transactions(kafka: KafkaSettings, options: KafkaOptions) -> Finding:
    trial = replace(transaction_options(kafka), start_seconds=kafka.request_timeout_seconds)
    place = Partition(kafka.input_topic, 0)
    transactor = KafkaTransactor(options, sink_options(kafka), trial, place, ending=_TRIAL)
    try:
        await transactor.start()
    except KafkaFailed as error:
        return Finding("transactions", False, str(error))
    await transactor.stop()
    return Finding("transactions", True, "can start, as exactly_once needs them")


def _partitions(topic: Topic) -> str:
    return "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"


def _size(topic: Topic) -> str:
    return f"{_partitions(topic)}, {'1 copy' if topic.copies == 1 else f'{topic.copies} copies'}"
