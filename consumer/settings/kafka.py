"""How to reach Kafka, which topics to use, and how to behave as a member of the group."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    FilePath,
    SecretStr,
    model_validator,
)

from consumer.settings.address import Remotes
from consumer.settings.group import Group, wrong
from consumer.settings.secret import read_secret

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def _topic(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) or name in (".", ".."):
        raise ValueError("may have letters, digits, '.', '_' and '-' only, at most 249 of them")
    return name


Topic = Annotated[str, AfterValidator(_topic)]
"""Kafka's own rule for topic names."""


class KafkaSettings(Group):
    """The cluster, the topics and the membership."""

    bootstrap_servers: Remotes = Field(
        description="Brokers to ask for the cluster first, HOST:PORT with commas between. "
        "No default, because a guess would make a service wait for a broker that isn't there."
    )
    input_topic: Topic = Field(
        "call-audio", description="Topic with the calls' audio, keyed by session."
    )
    results_topic: Topic = Field(
        "detection-results", description="Topic for results, one record each, on the session's key."
    )
    sessions_topic: Topic = Field(
        "detection-sessions", description="Topic for the starts and ends of sessions."
    )
    dead_letter_topic: Topic | None = Field(
        None,
        description="Topic for records that could not be used. Default: the input topic's name "
        "and `-dlq`, so that every input has dead letters of its own.",
    )
    checkpoints_topic: Topic | None = Field(
        None,
        description="Compacted topic that tells the next owner of a partition how its calls stand. "
        "Default: the group's name, the input topic's and `-checkpoints`, because a checkpoint is "
        "of one group's reading of one topic.",
    )
    group_id: str = Field(
        "detection-consumer",
        min_length=1,
        description="Consumer group; replicas with the same group share the input's partitions.",
    )
    client_id: str = Field(
        "detection-consumer",
        min_length=1,
        description="Name that the brokers' logs and quotas see.",
    )
    instance_id: str | None = Field(
        None,
        min_length=1,
        description="Static membership: a name that this replica keeps over restarts. Off by "
        "default, because a static member that stops for good blocks its partitions until the "
        "session timeout.",
    )
    security_protocol: SecurityProtocol = Field(
        "PLAINTEXT",
        description="How to talk to the brokers. PLAINTEXT, because that is what brokers "
        "listen with until someone sets them up otherwise.",
    )
    sasl_mechanism: SaslMechanism | None = Field(
        None,
        description="How to log in with SASL. Default with SASL: SCRAM-SHA-512, which never "
        "sends the password.",
    )
    sasl_username: str | None = Field(None, description="User of the SASL login.")
    sasl_password: SecretStr | None = Field(None, description="Password of the SASL login.")
    sasl_password_file: FilePath | None = Field(
        None, description="File that holds the SASL password, such as a mounted secret."
    )
    ssl_ca_file: FilePath | None = Field(
        None,
        description="PEM file of the authorities that sign the brokers' certificates. Default: "
        "the system's.",
    )
    ssl_cert_file: FilePath | None = Field(
        None, description="PEM file of this client's certificate, for brokers that ask for one."
    )
    ssl_key_file: FilePath | None = Field(
        None, description="PEM file of the private key of that certificate."
    )
    ssl_key_password: SecretStr | None = Field(None, description="Password of that key file.")
    ssl_check_hostname: bool = Field(
        True,
        description="Whether a broker's certificate must name the host. On, since anyone with a "
        "certificate of the same authority could pose as a broker otherwise.",
    )
    start: Literal["earliest", "latest"] = Field(
        "earliest",
        description="Where a group without a committed offset begins. `earliest`, because audio "
        "that waits on the topic has not been judged.",
    )
    out_of_range: Literal["stop", "earliest", "latest"] = Field(
        "stop",
        description="What to do when the committed offset no longer exists. `stop`, because "
        "anything else would skip or repeat audio without anyone's decision.",
    )
    create_topics: bool = Field(
        True,
        description="Create missing output topics with the input's number of partitions. On, "
        "because brokers that create topics by themselves get that number wrong.",
    )
    replication_factor: int = Field(
        -1,
        ge=-1,
        le=32_767,
        description="Copies of topics that are created here; -1 for as many as the input has, "
        "because results are worth as much as the audio.",
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "none",
        description="Compression of what is written. `none`, because small records that are "
        "written at once gain nothing; input is read in any of them.",
    )
    idempotent: bool = Field(
        True,
        description="Let the brokers drop what a retry would write twice. On; turn it off only "
        "for brokers that don't know it.",
    )
    session_timeout_seconds: float = Field(
        20.0,
        ge=1,
        le=1800,
        description="After this long without a sign of life a replica's partitions go to the "
        "others. 20 s: long enough for a stalled machine, short enough for a live call.",
    )
    heartbeat_seconds: float = Field(
        3.0,
        gt=0,
        description="Pause between signs of life. 3 s: several fit into the session timeout.",
    )
    rebalance_timeout_seconds: float = Field(
        30.0,
        ge=1,
        description="How long the group waits for its members when partitions move. 30 s: well "
        "above what giving partitions back may take.",
    )
    transaction_timeout_seconds: float = Field(
        15.0,
        ge=1,
        le=900,
        description="After this long brokers give up a transaction that is still open, with "
        "`exactly_once`. 15 s, below the session timeout: readers wait no longer for a replica "
        "that is gone than its partitions do.",
    )
    request_timeout_seconds: float = Field(
        20.0,
        gt=0,
        description="How long a broker may take to answer. 20 s: a leader's election takes less.",
    )
    refresh_seconds: float = Field(
        60.0,
        gt=0,
        description="Pause between questions to the brokers how the topics stand. 60 s: partitions "
        "that the input gains are read at the latest so much later, and a rebalance.",
    )
    partition_fetch_bytes: ByteSize = Field(
        ByteSize(1 << 20),
        ge=1,
        description="At most this much of one partition in one fetch. 1 MiB is 33 s of 16 kHz "
        "audio, and bounds what the client holds per partition.",
    )
    max_record_bytes: ByteSize = Field(
        ByteSize(1 << 20),
        ge=1024,
        description="Largest record that is written. 1 MiB is what brokers accept by default.",
    )

    @property
    def dead_letters(self) -> str:
        """Name of the dead letter topic."""
        return self.dead_letter_topic or f"{self.input_topic}-dlq"

    @property
    def checkpoints(self) -> str:
        """Name of the checkpoint topic."""
        return self.checkpoints_topic or f"{self.group_id}-{self.input_topic}-checkpoints"

    @property
    def uses_sasl(self) -> bool:
        """Whether the brokers ask for a login."""
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")

    def password(self) -> str | None:
        """The SASL password, read anew from its file. Raises ConfigurationError."""
        if self.sasl_password_file is not None:
            return read_secret(self.sasl_password_file, "CONSUMER_KAFKA__SASL_PASSWORD_FILE")
        return self.sasl_password.get_secret_value() if self.sasl_password else None

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if self.sasl_password is not None and self.sasl_password_file is not None:
            raise wrong("sasl_password", "set this or CONSUMER_KAFKA__SASL_PASSWORD_FILE, not both")
        if not self.uses_sasl:
            return self
        if self.sasl_username is None:
            raise wrong("sasl_username", f"is needed for {self.security_protocol}")
        if self.sasl_password is None and self.sasl_password_file is None:
            text = "this or CONSUMER_KAFKA__SASL_PASSWORD_FILE is needed for "
            raise wrong("sasl_password", text + self.security_protocol)
        return self

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Self:
        if (self.ssl_cert_file is None) != (self.ssl_key_file is None):
            missing = "ssl_key_file" if self.ssl_key_file is None else "ssl_cert_file"
            raise wrong(missing, "a client certificate needs both its file and its key's file")
        return self

    @model_validator(mode="after")
    def _checkpoints_have_a_name(self) -> Self:
        try:
            _topic(self.checkpoints)
        except ValueError as error:
            text = (
                f"is needed, because the default is made of the group's name, and a topic's {error}"
            )
            raise wrong("checkpoints_topic", text) from None
        return self

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        names: dict[str, str] = {}
        topics = {
            "input_topic": self.input_topic,
            "results_topic": self.results_topic,
            "sessions_topic": self.sessions_topic,
            "dead_letter_topic": self.dead_letters,
            "checkpoints_topic": self.checkpoints,
        }
        for field, topic in topics.items():
            if topic in names:
                raise wrong(field, f"{topic!r} is the name of the {names[topic]} too")
            names[topic] = field.replace("_", " ")
        return self

    @model_validator(mode="after")
    def _heartbeat_fits(self) -> Self:
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            text = "must be at most a third of the session timeout, or one lost sign ends it"
            raise wrong("heartbeat_seconds", text)
        return self

    def mechanism(self) -> SaslMechanism:
        """The SASL mechanism in use."""
        return self.sasl_mechanism or "SCRAM-SHA-512"
