"""All settings of the service, and the policies that they make."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from consumer.codec.headers import ChunkDefaults
from consumer.core.policy import (
    BreakerPolicy,
    CommitPolicy,
    FlowPolicy,
    IdlePolicy,
    SessionPolicy,
    StreamPolicy,
)
from consumer.settings.admin import AdminSettings, LogSettings, MetricsSettings
from consumer.settings.api import ApiSettings
from consumer.settings.audio import AudioSettings, OutputSettings
from consumer.settings.flow import CommitSettings, FlowSettings, ShutdownSettings, commit_policy
from consumer.settings.group import wrong
from consumer.settings.kafka import KafkaSettings
from consumer.settings.retry import BreakerSettings, RetrySettings
from consumer.settings.session import MessageSettings, SessionSettings

PREFIX = "CONSUMER_"
DELIMITER = "__"


class Delivery(StrEnum):
    """What a crash may do to results."""

    AT_LEAST_ONCE = "at_least_once"
    EXACTLY_ONCE = "exactly_once"


class Sources(BaseSettings):
    """Reads the environment, then the env file, then what was handed in from the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",  # unknown names are found, with better words, by `settings.unknown`
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence, highest first."""
        return env_settings, dotenv_settings, init_settings


class TopicSettings(Sources):
    """What the tools that only write or read topics need."""

    kafka: KafkaSettings
    audio: AudioSettings
    output: OutputSettings


class Settings(Sources):
    """What the service needs."""

    delivery: Delivery = Field(
        Delivery.AT_LEAST_ONCE,
        description="What a crash may do to results. `at_least_once` has the lowest latency; a "
        "crash may repeat results, with ids that tell. `exactly_once` shows results to "
        "read_committed readers once, up to a commit interval later. Stop all replicas to change "
        "it.",
    )
    kafka: KafkaSettings
    api: ApiSettings
    audio: AudioSettings
    output: OutputSettings
    session: SessionSettings
    message: MessageSettings
    flow: FlowSettings
    retry: RetrySettings
    breaker: BreakerSettings
    commit: CommitSettings
    shutdown: ShutdownSettings
    admin: AdminSettings
    log: LogSettings
    metrics: MetricsSettings

    @model_validator(mode="after")
    def _transactions_fit(self) -> Self:
        if self.delivery is not Delivery.EXACTLY_ONCE:
            return self
        timeout = self.kafka.transaction_timeout_seconds
        if timeout >= self.kafka.session_timeout_seconds:
            text = "must be below CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS"
            raise wrong("kafka.transaction_timeout_seconds", text)
        if self.commit.interval_seconds > timeout / 3:
            text = "must be at most a third of CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS"
            raise wrong("commit.interval_seconds", text)
        return self

    @model_validator(mode="after")
    def _revoke_fits(self) -> Self:
        if self.commit.revoke_seconds >= self.kafka.rebalance_timeout_seconds:
            text = "must be below CONSUMER_KAFKA__REBALANCE_TIMEOUT_SECONDS"
            raise wrong("commit.revoke_seconds", text)
        return self

    def chunk_defaults(self) -> ChunkDefaults:
        """What holds for records that don't say otherwise."""
        return ChunkDefaults(
            format=self.audio.audio_format(),
            level=self.api.level,
            content=self.audio.content_type,
        )

    def session_policy(self) -> SessionPolicy:
        """Everything one session needs to decide."""
        return SessionPolicy(
            stream=StreamPolicy(
                horizon=self.api.horizon_seconds,
                limit=self.api.stream_limit_seconds,
                close_timeout=self.api.close_timeout_seconds,
                stall_timeout=self.api.stall_timeout_seconds,
                stall_grace=self.api.stall_grace_seconds,
                cut_patience=self.session.cut_patience_seconds,
                settle_hold=self.session.settle_hold_seconds,
            ),
            coalesce=self.message.coalesce_policy(),
            memory=self.session.memory_policy(),
            retry=self.retry.retry_policy(),
            sequence=self.session.sequence_policy(),
        )

    def breaker_policy(self) -> BreakerPolicy:
        """When the API as a whole counts as broken."""
        return self.breaker.breaker_policy()

    def idle_policy(self) -> IdlePolicy:
        """When a session without records ends."""
        return self.session.idle_policy()

    def flow_policy(self) -> FlowPolicy:
        """When a partition is left out of the fetch."""
        return self.flow.flow_policy()

    def commit_policy(self) -> CommitPolicy:
        """How often to commit and how long stopping may take."""
        return commit_policy(self.commit, self.shutdown)
