"""The topics that must be there before anything is read or written.

An output needs at least the input's partitions, because a record goes to the partition number that
its session has on the input. Topics are looked at without mentioning them where that would make
brokers create them with a number of their own. Brokers know of a new topic a little after the one
that made it has answered, so making a topic means waiting until it is seen.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from aiokafka import errors as foreign
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.metadata import MetadataRequest

from consumer.adapters.kafka.arguments import client_arguments
from consumer.adapters.kafka.errors import ours, translated
from consumer.adapters.kafka.options import KafkaOptions, TopicOptions
from consumer.adapters.kafka.reach import reach
from consumer.adapters.kafka.rights import Rights, group_rights, lacks, topic_rights
from consumer.errors import KafkaFailed, KafkaRefused

_EXISTS: Final = foreign.TopicAlreadyExistsError.errno
_MISSING: Final = foreign.UnknownTopicOrPartitionError.errno
_PAUSE_SECONDS: Final = 0.05
_POLICY: Final = "cleanup.policy"
_COMPACTED: Final = MappingProxyType(
    {
        _POLICY: "compact",
        "segment.ms": "600000",
        "segment.bytes": str(64 << 20),
        "max.compaction.lag.ms": "600000",
        "min.cleanable.dirty.ratio": "0.1",
        "delete.retention.ms": "86400000",
    }
)
"""Small segments that are compacted soon: a partition is taken over by reading all of it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is: its number of partitions and of copies of each."""

    partitions: int
    copies: int


class KafkaTopics:
    """Looks at topics and creates missing ones; `async with` it, and use it briefly."""

    def __init__(self, kafka: KafkaOptions) -> None:
        self._kafka = kafka
        self._client = AIOKafkaAdminClient(**client_arguments(kafka))

    async def __aenter__(self) -> "KafkaTopics":
        """Connect. Raises KafkaFailed, KafkaRefused."""
        patience = self._kafka.request_timeout_seconds
        try:
            await reach(self._client.start, patience, self._kafka, "can't reach Kafka")
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._client.close()

    async def look(self, names: Sequence[str]) -> Mapping[str, Topic | None]:
        """What there is under each name, None for nothing. Raises KafkaFailed, KafkaRefused."""
        request = MetadataRequest(list(names), allow_auto_topic_creation=False)
        with translated("can't look at the topics"):
            answer = await self._client._send_request(request)  # noqa: SLF001 - see the docstring
            topics: Iterable[Mapping[str, Any]] = answer.to_object()["topics"]
            found = {topic["topic"]: _topic(topic) for topic in topics}
        return {name: found.get(name) for name in names}

    async def rights(self, names: Sequence[str]) -> Mapping[str, Rights | None]:
        """What this user may do with each; nothing for one that it may not see.

        None where brokers don't say, as of what isn't there. Raises KafkaFailed, KafkaRefused.
        """
        return await topic_rights(self._client, names)

    async def group_rights(self, group_id: str) -> Rights | None:
        """The same of a group. Raises KafkaFailed, KafkaRefused."""
        return await group_rights(self._client, group_id)

    async def prepare(self, options: TopicOptions) -> Mapping[str, Topic]:
        """See to it that all topics are there and fit. Raises KafkaFailed, KafkaRefused."""
        names = tuple(options.rights)
        await self._check_rights(options)
        seen = await self.look(names)
        source = seen[options.input]
        if source is None:
            raise KafkaRefused(
                f"the input topic {options.input} does not exist, or this user may not see it; "
                "create it, or correct kafka.input_topic"
            )
        missing = [name for name in names if seen[name] is None]
        if missing:
            await self._create_missing(missing, source, options)
            seen = await self._until_seen(names)
            await self._check_rights(options)
        _check(seen, source, options)
        if options.checkpoints is not None:
            await self.check_compacted(options.checkpoints)
        return {name: topic for name, topic in seen.items() if topic is not None}

    async def create(
        self,
        names: Sequence[str],
        partitions: int,
        copies: int,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> Collection[str]:
        """Make topics; one that is there already is left as it is. Returns those that were made.

        settings: the brokers' own, for each of them. Raises KafkaFailed, KafkaRefused.
        """
        with translated(f"can't create {', '.join(names)}"):
            wanted = [
                NewTopic(name, partitions, copies, topic_configs=dict(settings)) for name in names
            ]
            answer = await self._client.create_topics(wanted)
            for name, code, message in answer.topic_errors:
                if code not in (0, _EXISTS):  # another replica may have been faster
                    raise _not_created(name, foreign.for_code(code)(message))
        await self._until_seen(names)
        return [name for name, code, _ in answer.topic_errors if code != _EXISTS]

    async def _check_rights(self, options: TopicOptions) -> None:
        """Raises KafkaRefused with all rights that are missing."""
        found = await self.rights(tuple(options.rights))
        lacking = {
            name: missing
            for name, needed in options.rights.items()
            if (missing := lacks(found[name], needed))
        }
        if lacking:
            told = "; ".join(f"{' and '.join(lacking[n])} on the topic {n}" for n in lacking)
            raise KafkaRefused(f"this user has not all the rights that are needed; grant it {told}")

    async def _until_seen(self, names: Sequence[str]) -> Mapping[str, Topic | None]:
        """Look until all are there, for as long as one answer may take."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._kafka.request_timeout_seconds
        seen = await self.look(names)
        while None in seen.values() and loop.time() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
            seen = await self.look(names)
        return seen

    async def _create_missing(
        self, names: Sequence[str], source: Topic, options: TopicOptions
    ) -> None:
        if not options.create:
            raise KafkaRefused(
                f"missing topics: {', '.join(names)}; create each with {source.partitions} "
                "partitions, or set kafka.create_topics"
            )
        copies = source.copies if options.replication_factor == -1 else options.replication_factor
        for name in names:
            settings = _COMPACTED if name == options.checkpoints else {}
            await self.create([name], source.partitions, copies, settings)

    async def check_compacted(self, name: str) -> None:
        """Raises KafkaRefused for a topic whose records the brokers would delete by age.

        Brokers that don't say, or not to this user, are believed.
        """
        wanted = ConfigResource(ConfigResourceType.TOPIC, name, {_POLICY: ""})
        try:
            answers = await self._client.describe_configs([wanted])
        except foreign.KafkaError:
            return
        described = [found for answer in answers for found in answer.to_object()["resources"]]
        policies = [
            entry["config_value"]
            for found in described
            for entry in found["config_entries"]
            if entry["config_names"] == _POLICY
        ]
        if any(policy != "compact" for policy in policies):
            raise KafkaRefused(
                f"the topic {name} keeps checkpoints and must have {_POLICY}=compact, but has "
                f"{policies[0]}; change that, or name another in kafka.checkpoints_topic"
            )


def _not_created(name: str, error: foreign.KafkaError) -> KafkaFailed:
    if isinstance(error, foreign.TopicAuthorizationFailedError):
        return KafkaRefused(
            f"can't create {name}: {error} (grant this user Create on the topic, or create it)"
        )
    return ours(error, f"can't create {name}")


def _topic(described: Mapping[str, Any]) -> Topic | None:
    code = described["error_code"]
    if code == _MISSING:
        return None
    if code:
        raise ours(foreign.for_code(code)(), f"can't look at {described['topic']}")
    partitions = described["partitions"]
    return Topic(len(partitions), min((len(p["replicas"]) for p in partitions), default=1))


def _check(seen: Mapping[str, Topic | None], source: Topic, options: TopicOptions) -> None:
    for name in seen:
        topic = seen[name]
        if topic is None:
            raise KafkaRefused(f"the topic {name} was created but can't be seen")
        if topic.partitions < source.partitions:
            raise KafkaRefused(
                f"the topic {name} has {topic.partitions} partitions and needs the "
                f"{source.partitions} of the input topic {options.input}; add partitions to it"
            )
