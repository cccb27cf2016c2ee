"""The border of Kafka: every error of the client library becomes one of ours here.

One table says which and adds what a person can do, because the library's own `retriable` flag
answers another question (whether the library will try again by itself). What the table doesn't
name may go away by itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from aiokafka import errors as foreign

from consumer.adapters.kafka.options import Right
from consumer.errors import (
    ConsumerError,
    KafkaFailed,
    KafkaRefused,
    OwnershipLost,
    RecordTooLarge,
)
from consumer.model import Partition


class Meaning(NamedTuple):
    """What a foreign error is to us, and what a person can do about it."""

    kind: type[KafkaFailed]
    advice: str = ""


_LOGIN = Meaning(KafkaRefused, "check user name, password and mechanism of the SASL login")
_OLD = Meaning(KafkaRefused, "the brokers are too old for this client")
_GROUP = Meaning(KafkaRefused, "check the group's name, timeouts and assignors of other members")
_TOPIC = Meaning(KafkaRefused, "check the name of the topic and the brokers' rules for new ones")
_LOST = Meaning(OwnershipLost)
_LARGE = Meaning(RecordTooLarge, "raise the largest record size here and at the brokers")

KNOWN: Final[Mapping[type[BaseException], Meaning]] = {
    foreign.AuthenticationFailedError: _LOGIN,
    foreign.AuthenticationMethodNotSupported: _LOGIN,
    foreign.IllegalSaslStateError: _LOGIN,
    foreign.SaslAuthenticationFailed: _LOGIN,
    foreign.UnsupportedSaslMechanismError: _LOGIN,
    foreign.ClusterAuthorizationFailedError: Meaning(
        KafkaRefused, "grant this user IdempotentWrite, or Create, on the cluster"
    ),
    foreign.GroupAuthorizationFailedError: Meaning(
        KafkaRefused, "grant this user Read on the consumer group"
    ),
    foreign.TopicAuthorizationFailedError: Meaning(
        KafkaRefused,
        "grant this user rights on the topic: Read on the input, Write on outputs, both on "
        "checkpoints",
    ),
    foreign.TransactionalIdAuthorizationFailed: Meaning(
        KafkaRefused, "grant this user Write on all transactional ids that begin with GROUP:INPUT:"
    ),
    foreign.IncompatibleBrokerVersion: _OLD,
    foreign.UnsupportedVersionError: _OLD,
    foreign.InconsistentGroupProtocolError: _GROUP,
    foreign.InvalidGroupIdError: _GROUP,
    foreign.InvalidSessionTimeoutError: _GROUP,
    foreign.IllegalArgumentError: _TOPIC,
    foreign.InvalidConfigurationError: _TOPIC,
    foreign.InvalidPartitionsError: _TOPIC,
    foreign.InvalidReplicationFactorError: _TOPIC,
    foreign.InvalidTopicError: _TOPIC,
    foreign.PolicyViolationError: _TOPIC,
    foreign.UnknownTopicOrPartitionError: _TOPIC,
    foreign.UnsupportedCodecError: Meaning(KafkaRefused, "a compression library is missing here"),
    foreign.MessageSizeTooLargeError: _LARGE,
    foreign.RecordListTooLargeError: _LARGE,
    foreign.CommitFailedError: _LOST,
    foreign.IllegalGenerationError: _LOST,
    foreign.IllegalStateError: _LOST,
    foreign.InvalidProducerEpoch: _LOST,
    foreign.ProducerFenced: _LOST,
    foreign.RebalanceInProgressError: _LOST,
    foreign.UnknownMemberIdError: _LOST,
}
"""A subclass counts as its nearest ancestor in this table."""

_UNKNOWN = Meaning(KafkaFailed)


def ours(error: BaseException, doing: str, right: Right | None = None) -> KafkaFailed:
    """The error of ours that says the same; `doing` is what was being done, in a few words.

    right: what it takes, where topics are concerned.
    """
    if isinstance(error, KafkaFailed):
        return error
    if isinstance(error, TimeoutError):
        return KafkaFailed(f"{doing}: no answer in time")
    kind, advice = next((KNOWN[t] for t in type(error).__mro__ if t in KNOWN), _UNKNOWN)
    if right and isinstance(error, foreign.TopicAuthorizationFailedError):
        advice = f"grant this user {right} on the topic"
    text = f"{doing}: {str(error) or type(error).__name__}"
    return kind(f"{text} ({advice})" if advice else text)


def no_partition(partition: Partition) -> KafkaRefused:
    """Of an output, or of checkpoints, while the input has more of them."""
    return KafkaRefused(
        f"{partition.topic} has no partition {partition.number}; it needs as many as the input "
        "topic has: add them"
    )


@contextmanager
def translated(doing: str, right: Right | None = None) -> Iterator[None]:
    """Let no error of the library out; ours and cancellation pass as they are."""
    try:
        yield
    except ConsumerError:
        raise
    except Exception as error:
        raise ours(error, doing, right) from error
