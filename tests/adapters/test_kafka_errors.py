"""The border of Kafka's errors."""

import asyncio

import pytest
from aiokafka import errors as foreign

from consumer.adapters.kafka.errors import KNOWN, ours, translated
from consumer.errors import (
    ConfigurationError,
    KafkaFailed,
    KafkaRefused,
    OwnershipLost,
    RecordTooLarge,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (foreign.TopicAuthorizationFailedError("t"), KafkaRefused),
        (foreign.SaslAuthenticationFailed("no"), KafkaRefused),
        (foreign.MessageSizeTooLargeError("big"), RecordTooLarge),
        (foreign.CommitFailedError("rebalanced"), OwnershipLost),
        (foreign.IllegalStateError("not assigned"), OwnershipLost),
        (foreign.NodeNotReadyError(), KafkaFailed),
        (foreign.UnknownError(), KafkaFailed),
        (ConnectionResetError("reset"), KafkaFailed),
        (TimeoutError(), KafkaFailed),
    ],
)
def test_every_error_becomes_ours(error: Exception, kind: type[KafkaFailed]) -> None:
    """Each foreign error has its kind, keeps its text, and stays visible as the cause."""
    with pytest.raises(KafkaFailed) as caught, translated("can't do it"):
        raise error
    assert type(caught.value) is kind
    assert str(caught.value).startswith("can't do it: ")
    assert str(error) in str(caught.value)
    assert caught.value.__cause__ is error


def test_subclasses_count_as_their_ancestor() -> None:
    """An error the table doesn't name is what its nearest known ancestor is."""

    class Narrower(foreign.UnknownTopicOrPartitionError):  # type: ignore[misc] # untyped library
        pass

    assert type(ours(Narrower(), "x")) is KafkaRefused


def test_lets_our_own_errors_and_cancellation_pass() -> None:
    """What is ours already is not wrapped, and neither is a cancellation."""
    for error in (ConfigurationError("x"), OwnershipLost("y")):
        with pytest.raises(type(error)) as caught, translated("z"):
            raise error
        assert caught.value is error
    with pytest.raises(asyncio.CancelledError), translated("z"):
        raise asyncio.CancelledError


def test_knows_whom_each_refusal_concerns() -> None:
    """Whatever can only be helped by a person says how."""
    for meaning in KNOWN.values():
        assert meaning.advice or meaning.kind is OwnershipLost
