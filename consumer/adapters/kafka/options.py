"""What the Kafka adapters need to be told: plain values, built by the roof from the settings.

Settings live above this floor's knowledge on purpose: an adapter can be used, and tested, without
an environment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Place = Literal["earliest", "latest"]
Right = Literal["Read", "Write"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]

_BOTH: Final[Sequence[Right]] = ("Read", "Write")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityOptions:
    """How to talk to the brokers and who we are to them.

    ca_file: PEM authorities of the brokers, the system's when None. cert_file and key_file: PEM
    client certificate, both or none. Secrets stay out of `repr`.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    check_hostname: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """The cluster, and how long it may take.

    bootstrap_servers: HOST:PORT with commas between. request_timeout_seconds: for one answer of a
    broker. stop_timeout_seconds: for a clean disconnect, after which we just go. refresh_seconds:
    so often brokers are asked how the topics stand.
    """

    bootstrap_servers: str
    client_id: str = "detection-consumer"
    security: SecurityOptions = field(default_factory=SecurityOptions)
    request_timeout_seconds: float = 20.0
    stop_timeout_seconds: float = 10.0
    refresh_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What to read, and how to behave as a member of the group.

    instance_id: static membership when given. start: where to begin without a committed offset.
    out_of_range: what to do when an offset no longer exists. commit_timeout_seconds: for one
    commit or one look at a committed offset, which the client would otherwise retry for ever.
    fetch_wait_seconds: how long a broker waits for records before it answers with none.
    """

    topic: str
    group_id: str
    instance_id: str | None = None
    start: Place = "earliest"
    out_of_range: Literal["stop", "earliest", "latest"] = "stop"
    session_timeout_seconds: float = 20.0
    heartbeat_seconds: float = 3.0
    rebalance_timeout_seconds: float = 30.0
    commit_timeout_seconds: float = 15.0
    fetch_wait_seconds: float = 0.5
    fetch_bytes: int = 16 << 20
    partition_fetch_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            raise ValueError("heartbeat_seconds must be at most a third of the session timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkOptions:
    """How to write.

    idempotent: the brokers drop what a retry would write twice; such a write is retried until it
    succeeds. linger_seconds: how long a batch waits for more records. max_record_bytes: largest
    record, as the brokers accept it.
    """

    idempotent: bool = True
    compression: Compression = "none"
    linger_seconds: float = 0.005
    max_record_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """timeout_seconds: for one call of `read` in all. fetch_bytes: at most this much at once."""

    timeout_seconds: float = 60.0
    fetch_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionOptions:
    """group_id: whose offsets are committed. timeout_seconds: after which brokers give an open
    transaction up. start_seconds: for a start, which may have to wait for a predecessor's end.
    """

    group_id: str
    timeout_seconds: float = 15.0
    start_seconds: float = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOptions:
    """Which topics there must be.

    outputs: topics written to, each with at least the input's partitions. checkpoints: another
    one, which must be compacted. create: make missing ones. replication_factor: copies of topics
    made here; -1 for as many as the input has.
    """

    input: str
    outputs: tuple[str, ...] = ()
    checkpoints: str | None = None
    create: bool = True
    replication_factor: int = -1

    @property
    def rights(self) -> Mapping[str, Sequence[Right]]:
        """What must be allowed with each topic."""
        written: dict[str, Sequence[Right]] = dict.fromkeys(self.outputs, ("Write",))
        kept = {} if self.checkpoints is None else {self.checkpoints: _BOTH}
        return {self.input: ("Read",), **written, **kept}
