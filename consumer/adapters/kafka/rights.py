"""What this user may do with topics and with the group, as brokers tell who asks.

A right that is missing would show only when it is used, maybe hours after the start, at the first
dead letter. So brokers are asked, which the library can't do: its messages are older, or lack the
answer's field. Brokers before 2.3 don't know the question, and some don't answer it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import errors as foreign
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import (
    DescribeGroupsRequest_v3,
    DescribeGroupsResponse_v3,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from consumer.adapters.kafka.errors import ours, translated
from consumer.adapters.kafka.options import Right

Rights = frozenset[Right]

_BITS: Final[Mapping[Right, int]] = {"Read": 1 << 3, "Write": 1 << 4}
_UNTOLD: Final = -(1 << 31)
_HIDDEN: Final = foreign.TopicAuthorizationFailedError.errno


class _TopicsAnswer(Response):  # type: ignore[misc] # the library's types are unknown
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _TopicsQuestion(RequestStruct):  # type: ignore[misc] # the library's types are unknown
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsAnswer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _GroupQuestion(DescribeGroupsRequest_v3):  # type: ignore[misc] # the library's types are unknown
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3


class _AskTopics(Request[_TopicsQuestion]):  # type: ignore[misc] # the library's types are unknown
    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def build(self, request_struct_class: type[_TopicsQuestion]) -> _TopicsQuestion:
        return request_struct_class(self._names, False, False, True)


class _AskGroup(Request[_GroupQuestion]):  # type: ignore[misc] # the library's types are unknown
    API_KEY = 15

    def __init__(self, group_id: str) -> None:
        self._group_id = group_id

    def build(self, request_struct_class: type[_GroupQuestion]) -> _GroupQuestion:
        return request_struct_class([self._group_id], True)


def lacks(found: Rights | None, needed: Sequence[Right]) -> Sequence[Right]:
    """Which of these rights are missing; none as far as nobody knows."""
    return [] if found is None else [right for right in needed if right not in found]


async def topic_rights(
    admin: AIOKafkaAdminClient, names: Sequence[str]
) -> Mapping[str, Rights | None]:
    """What may be done with each of these topics: nothing where it may not even be seen.

    None where brokers don't say, as of topics that aren't there. Raises KafkaFailed, KafkaRefused.
    """
    with translated("can't ask for the rights on the topics"):
        try:
            answer = await admin._send_request(_AskTopics(names))  # noqa: SLF001 - no public way
        except NotImplementedError:  # how the library says that the brokers are too old
            return dict.fromkeys(names)
    topics: Iterable[Mapping[str, Any]] = answer.to_object()["topics"]
    found = {topic["topic"]: _of_topic(topic) for topic in topics}
    return {name: found.get(name) for name in names}


async def group_rights(admin: AIOKafkaAdminClient, group_id: str) -> Rights | None:
    """The same of a group. Raises KafkaFailed, KafkaRefused."""
    doing = f"can't ask for the rights on group {group_id}"
    with translated(doing):
        node = await admin.find_coordinator(group_id)
        try:
            answer = await admin._send_request(_AskGroup(group_id), node)  # noqa: SLF001 - see above
        except NotImplementedError:
            return None
        [group] = answer.to_object()["groups"]
        if group["error_code"]:
            raise ours(foreign.for_code(group["error_code"])(group_id), doing)
    return _named(group["authorized_operations"])


def _of_topic(topic: Mapping[str, Any]) -> Rights | None:
    if topic["error_code"]:
        return frozenset() if topic["error_code"] == _HIDDEN else None
    return _named(topic["authorized_operations"])


def _named(operations: int) -> Rights | None:
    if operations == _UNTOLD:
        return None
    return frozenset(right for right, bit in _BITS.items() if operations & bit)
