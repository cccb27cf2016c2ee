"""From settings to what the adapters want to be told."""

from consumer.adapters.admin.server import AdminOptions
from consumer.adapters.analyzer.options import SERVICE, AnalyzerOptions
from consumer.adapters.kafka.options import (
    KafkaOptions,
    ReplayOptions,
    SecurityOptions,
    SinkOptions,
    SourceOptions,
    TopicOptions,
    TransactionOptions,
)
from consumer.adapters.telemetry.logs import LogOptions
from consumer.adapters.telemetry.push import Fixed, PushOptions
from consumer.settings.admin import AdminSettings
from consumer.settings.api import ApiSettings
from consumer.settings.kafka import KafkaSettings
from consumer.settings.settings import Settings


def kafka_options(kafka: KafkaSettings) -> KafkaOptions:
    """How to reach the brokers. Raises ConfigurationError for a password file it can't read."""
    key_password = kafka.ssl_key_password
    return KafkaOptions(
        bootstrap_servers=kafka.bootstrap_servers,
        client_id=kafka.client_id,
        request_timeout_seconds=kafka.request_timeout_seconds,
        refresh_seconds=kafka.refresh_seconds,
        security=SecurityOptions(
            protocol=kafka.security_protocol,
            mechanism=kafka.mechanism(),
            username=kafka.sasl_username,
            password=kafka.password(),
            ca_file=kafka.ssl_ca_file,
            cert_file=kafka.ssl_cert_file,
            key_file=kafka.ssl_key_file,
            key_password=key_password.get_secret_value() if key_password else None,
            check_hostname=kafka.ssl_check_hostname,
        ),
    )


def sink_options(kafka: KafkaSettings) -> SinkOptions:
    """How to write."""
    return SinkOptions(
        idempotent=kafka.idempotent,
        compression=kafka.compression,
        max_record_bytes=int(kafka.max_record_bytes),
    )


def analyzer_options(api: ApiSettings) -> AnalyzerOptions:
    """How to reach the API."""
    return AnalyzerOptions(
        target=api.target,
        cid=api.cid,
        token=api.access_token,
        tls=api.tls,
        ca_file=api.ca_file,
        method=api.method,
        logits=api.logits,
        embedding=api.embedding,
        streams_per_channel=api.streams_per_channel,
        keepalive_seconds=api.keepalive_seconds,
        connect_timeout_seconds=api.connect_timeout_seconds,
        max_receive_bytes=int(api.max_receive_bytes),
    )


def source_options(kafka: KafkaSettings) -> SourceOptions:
    """What to read, as a member of which group."""
    return SourceOptions(
        topic=kafka.input_topic,
        group_id=kafka.group_id,
        instance_id=kafka.instance_id,
        start=kafka.start,
        out_of_range=kafka.out_of_range,
        session_timeout_seconds=kafka.session_timeout_seconds,
        heartbeat_seconds=kafka.heartbeat_seconds,
        rebalance_timeout_seconds=kafka.rebalance_timeout_seconds,
        partition_fetch_bytes=int(kafka.partition_fetch_bytes),
    )


def replay_options() -> ReplayOptions:
    """How to read again."""
    return ReplayOptions()


def transaction_options(kafka: KafkaSettings) -> TransactionOptions:
    """How to write where delivery is exactly once."""
    return TransactionOptions(
        group_id=kafka.group_id, timeout_seconds=kafka.transaction_timeout_seconds
    )


def topic_options(kafka: KafkaSettings) -> TopicOptions:
    """Which topics there must be."""
    return TopicOptions(
        input=kafka.input_topic,
        outputs=(kafka.results_topic, kafka.sessions_topic, kafka.dead_letters),
        checkpoints=kafka.checkpoints,
        create=kafka.create_topics,
        replication_factor=kafka.replication_factor,
    )


def admin_options(admin: AdminSettings) -> AdminOptions:
    """Where to listen."""
    host, port = admin.address
    return AdminOptions(host=host, port=port)


def log_options(settings: Settings, *, terminal: bool) -> LogOptions:
    """What to log, and what never to show. Raises ConfigurationError for a file it can't read."""
    log, kafka = settings.log, settings.kafka
    style = ("console" if terminal else "json") if log.format == "auto" else log.format
    key_password = kafka.ssl_key_password
    secrets = (
        settings.api.access_token(),
        kafka.password(),
        key_password.get_secret_value() if key_password else None,
    )
    return LogOptions(
        level=log.level, style=style, secrets=tuple(secret for secret in secrets if secret)
    )


def push_options(settings: Settings) -> PushOptions | None:
    """Where to push metrics to, None for nowhere."""
    metrics = settings.metrics
    if metrics.otlp_endpoint is None:
        return None
    return PushOptions(metrics.otlp_endpoint, metrics.otlp_interval_seconds)


def measured_on(settings: Settings) -> Fixed:
    """What the semantic conventions want to know of each measure that has a name in them."""
    kafka, system = settings.kafka, {"messaging.system": "kafka"}
    group = {"messaging.consumer.group.name": kafka.group_id}
    return {
        "records_consumed": {
            **system,
            **group,
            "messaging.operation.name": "poll",
            "messaging.destination.name": kafka.input_topic,
        },
        "records_published": {**system, "messaging.operation.name": "send"},
        "commit_seconds": {
            **system,
            **group,
            "messaging.operation.name": "commit",
            "messaging.operation.type": "settle",
            "messaging.destination.name": kafka.input_topic,
        },
        "stream_seconds": {
            "rpc.system.name": "grpc",
            "rpc.method": f"{SERVICE}/{settings.api.method}",
        },
    }
