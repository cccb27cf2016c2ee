"""What can go wrong, and whose fault it is.

    ConsumerError
    +-- ConfigurationError     the operator's: a setting is missing or wrong
    +-- RecordError            the producer's: a record that can't be understood
    +-- StreamFailed           the API's or the network's: a detection stream ended without OK
    +-- KafkaFailed            the brokers' or the network's
    |   +-- KafkaRefused       the operator's: authorisation, missing topics, wrong credentials
    |   +-- RecordTooLarge     ours or the operator's: a record above the broker's limit
    |   +-- OwnershipLost      nobody's: the partition belongs to another member by now
    +-- LocalProtocolError     ours: a bug in this program

Errors of foreign libraries become one of these at the adapter's border, with the cause chained.
They carry plain values only, so this room stays on the ground floor.
"""

from enum import StrEnum


class Fault(StrEnum):
    """Who has to act when a stream fails."""

    TRANSIENT = "transient"
    """Nobody: open the stream again after a pause."""
    SETTINGS = "settings"
    """The operator: credentials, permissions, endpoint or method."""
    AUDIO = "audio"
    """The producer: the API refuses what this session sends."""


class ConsumerError(Exception):
    """Root of everything this program raises on purpose."""


class ConfigurationError(ConsumerError):
    """A setting is missing or wrong.

    variable: the environment variable to change, or None when several could help.
    """

    def __init__(self, message: str, variable: str | None = None) -> None:
        super().__init__(f"{variable}: {message}" if variable else message)
        self.variable = variable


class RecordError(ConsumerError):
    """A record breaks the message contract; `reason` is a stable word for headers and metrics."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StreamFailed(ConsumerError):
    """A detection stream ended with an error status; `code` is the gRPC status name."""

    def __init__(self, fault: Fault, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.fault = fault
        self.code = code
        self.detail = detail


class KafkaFailed(ConsumerError):
    """Kafka did not do what was asked; trying again may help."""


class KafkaRefused(KafkaFailed):
    """Kafka refuses this client: trying again can't help, a change of settings or rights can."""


class RecordTooLarge(KafkaFailed):
    """A record is larger than the broker or the producer accepts."""


class OwnershipLost(KafkaFailed):
    """The group gave the partition to another member; nothing may be committed for it."""


class LocalProtocolError(ConsumerError):
    """This program broke one of its own rules."""
