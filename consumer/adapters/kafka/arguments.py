"""What the client library is told, in its words."""

from collections.abc import Mapping
from typing import Any, Final

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from consumer.adapters.kafka.options import (
    KafkaOptions,
    ReplayOptions,
    SinkOptions,
    SourceOptions,
    TransactionOptions,
)
from consumer.adapters.kafka.security import security_arguments

NEVER_MS: Final = 2**31 - 1
_JOIN_MARGIN_SECONDS: Final = 5.0


def client_arguments(kafka: KafkaOptions) -> Mapping[str, Any]:
    """What consumers, producers and admin clients share. Raises KafkaRefused."""
    return {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "request_timeout_ms": _ms(kafka.request_timeout_seconds),
        "metadata_max_age_ms": _ms(kafka.refresh_seconds),
        **security_arguments(kafka.security),
    }


def member_arguments(kafka: KafkaOptions, options: SourceOptions) -> Mapping[str, Any]:
    """For a member of the group that decides by itself when to commit and where to read."""
    # Joining is one request that is answered when the slowest member has given back.
    joining_seconds = options.rebalance_timeout_seconds + _JOIN_MARGIN_SECONDS
    return {
        **client_arguments(kafka),
        **_reader_arguments(),
        "group_id": options.group_id,
        "group_instance_id": options.instance_id,
        "request_timeout_ms": _ms(max(kafka.request_timeout_seconds, joining_seconds)),
        # Our own watchdog judges the poll loop; leaving the group would only hide that it stands.
        "max_poll_interval_ms": NEVER_MS,
        "session_timeout_ms": _ms(options.session_timeout_seconds),
        "heartbeat_interval_ms": _ms(options.heartbeat_seconds),
        "rebalance_timeout_ms": _ms(options.rebalance_timeout_seconds),
        "fetch_max_wait_ms": _ms(options.fetch_wait_seconds),
        "fetch_max_bytes": options.fetch_bytes,
        "max_partition_fetch_bytes": options.partition_fetch_bytes,
        # The assignor keeps its state in its class: two members need two classes.
        "partition_assignment_strategy": (type("Sticky", (StickyPartitionAssignor,), {}),),
    }


def loner_arguments(kafka: KafkaOptions, options: ReplayOptions) -> Mapping[str, Any]:
    """For a reader of single partitions that belongs to no group."""
    return {
        **client_arguments(kafka),
        **_reader_arguments(),
        "group_id": None,
        "fetch_max_bytes": options.fetch_bytes,
        "max_partition_fetch_bytes": options.fetch_bytes,
    }


def writer_arguments(kafka: KafkaOptions, options: SinkOptions) -> Mapping[str, Any]:
    """For a producer whose writes are on all replicas before they count."""
    return {
        **client_arguments(kafka),
        "acks": "all",
        "enable_idempotence": options.idempotent,
        "compression_type": None if options.compression == "none" else options.compression,
        "linger_ms": _ms(options.linger_seconds),
        "max_request_size": options.max_record_bytes,
    }


def transactor_arguments(
    kafka: KafkaOptions, sink: SinkOptions, options: TransactionOptions, name: str
) -> Mapping[str, Any]:
    """For the producer of one partition's transactions, which has this name at the brokers."""
    # A frozen node costs one request's time; the transaction must outlive that.
    request_seconds = min(kafka.request_timeout_seconds, options.timeout_seconds / 3)
    return {
        **writer_arguments(kafka, sink),
        "enable_idempotence": True,
        "transactional_id": name,
        "transaction_timeout_ms": _ms(options.timeout_seconds),
        "request_timeout_ms": _ms(request_seconds),
    }


def _reader_arguments() -> Mapping[str, Any]:
    return {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
    }


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
