"""What `check` looks at, one look a function; each says what is right or what to do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.tail import KafkaTail
from consumer.adapters.kafka.topics import KafkaTopics, Topic
from consumer.app.connect import analyzer_options, kafka_options, sink_options
from consumer.errors import ConfigurationError, Fault, KafkaFailed, StreamFailed
from consumer.settings.api import ApiSettings
from consumer.settings.kafka import KafkaSettings
from consumer.settings.settings import Settings

_READ_SECONDS = 1.0
_ADVICE = {
    Fault.SETTINGS: "check CONSUMER_API__CID, CONSUMER_API__TOKEN and CONSUMER_API__METHOD",
    Fault.AUDIO: "the endpoint knows the method but not our config: is it another version?",
    Fault.TRANSIENT: "check CONSUMER_API__TARGET, CONSUMER_API__TLS, CONSUMER_API__CA_FILE, and "
    "the way through proxies and firewalls",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One look. good: nothing needs to be done. text: what was found, and what to do."""

    what: str
    good: bool
    text: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All looks, each told as soon as it is done; one that fails ends those that build on it."""
    yield Finding("settings", True, "complete")
    async for finding in _examine_kafka(settings.kafka):
        yield finding
    yield await _api(settings.api)


async def _examine_kafka(kafka: KafkaSettings) -> AsyncIterator[Finding]:
    outputs = (kafka.results_topic, kafka.sessions_topic, kafka.dead_letters)
    try:
        options = kafka_options(kafka)
        async with KafkaTopics(options) as topics:
            seen = await topics.look([kafka.input_topic, *outputs])
    except (KafkaFailed, ConfigurationError) as error:
        advice = "check CONSUMER_KAFKA__BOOTSTRAP_SERVERS and CONSUMER_KAFKA__SECURITY_PROTOCOL"
        yield Finding("Kafka", False, f"{error}; {advice}")
        return
    yield Finding("Kafka", True, f"{kafka.bootstrap_servers} answers, {kafka.security_protocol}")
    source = seen[kafka.input_topic]
    yield _input(kafka, source)
    if source is None:
        return
    for name in outputs:
        yield _output(name, seen[name], source, kafka)
    yield await _reading(kafka, options)
    yield await _group(kafka, options)
    yield await _writing(kafka, options)


def _input(kafka: KafkaSettings, source: Topic | None) -> Finding:
    what = f"topic {kafka.input_topic}"
    if source:
        return Finding(what, True, f"input, {_size(source)}")
    text = "does not exist, or this user may not see it: create it, with at least as many "
    text += "partitions as there may be replicas, or correct CONSUMER_KAFKA__INPUT_TOPIC"
    return Finding(what, False, text)


def _output(name: str, topic: Topic | None, source: Topic, kafka: KafkaSettings) -> Finding:
    what, needed = f"topic {name}", source.partitions
    if topic is None and kafka.create_topics:
        return Finding(what, True, f"not there yet; `run` makes it with {needed} partitions")
    if topic is None:
        text = f"does not exist: create it with {needed} partitions, or set "
        return Finding(what, False, text + "CONSUMER_KAFKA__CREATE_TOPICS=true")
    if topic.partitions < needed:
        text = f"{_partitions(topic)}, but the input has {needed}: add the missing ones"
        return Finding(what, False, text)
    return Finding(what, True, _size(topic))


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
    except KafkaFailed as error:
        return Finding(what, False, str(error))
    begun = [offset for offset in committed.values() if offset is not None]
    if not begun:
        return Finding(what, True, f"has committed nothing yet; `run` begins at {kafka.start}")
    return Finding(what, True, f"has offsets in {len(begun)} of {len(committed)} partitions")


async def _writing(kafka: KafkaSettings, options: KafkaOptions) -> Finding:
    sink = KafkaSink(options, sink_options(kafka))
    try:
        await sink.start()
    except KafkaFailed as error:
        return Finding("writing", False, str(error))
    await sink.stop()
    how = "idempotently" if kafka.idempotent else "without idempotence"
    text = f"can start, {how}; whether each topic may be written shows only when it is"
    return Finding("writing", True, text)


async def _api(api: ApiSettings) -> Finding:
    what = f"API {api.target}"
    analyzer = GrpcAnalyzer(analyzer_options(api))
    try:
        await analyzer.probe()
    except StreamFailed as error:
        return Finding(what, False, f"{error}; {_ADVICE[error.fault]}")
    finally:
        await analyzer.stop()
    tls = "with TLS" if api.tls else "WITHOUT TLS, so token and audio can be read on the way"
    text = f"{api.method} accepts project {api.cid} and its token: a stream with a config and "
    return Finding(what, True, f"{text}no audio came to its OK, {tls}")


def _partitions(topic: Topic) -> str:
    return "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"


def _size(topic: Topic) -> str:
    return f"{_partitions(topic)}, {'1 copy' if topic.copies == 1 else f'{topic.copies} copies'}"
