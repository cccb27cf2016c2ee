"""The marks that bound memory, and the pace of commits and shutdown."""

from typing import Literal, Self

from pydantic import ByteSize, Field, model_validator

from consumer.core.policy import CommitPolicy, FlowPolicy
from consumer.settings.group import Group, wrong


class FlowSettings(Group):
    """Marks above which a partition isn't fetched, and below which it is again."""

    partition_high_bytes: ByteSize = Field(
        ByteSize(8 << 20),
        ge=1,
        description="A partition with more audio than this that no stream has taken isn't "
        "fetched. 8 MiB: eight fetches.",
    )
    partition_low_bytes: ByteSize = Field(
        ByteSize(4 << 20),
        ge=1,
        description="Below this it is fetched again. Half of the high mark, so that it doesn't "
        "flutter.",
    )
    process_high_bytes: ByteSize = Field(
        ByteSize(256 << 20),
        ge=1,
        description="The same mark for the whole process. 256 MiB leaves half of a 512 MiB "
        "container to everything else.",
    )
    process_low_bytes: ByteSize = Field(
        ByteSize(128 << 20), ge=1, description="Below this all partitions are fetched again."
    )
    unsettled_records: int = Field(
        1_000_000,
        ge=1,
        description="Records of a partition that may wait for results. A million is 5.5 hours of "
        "one call in 20 ms frames, and takes some ten MiB.",
    )
    dead_letters_in_a_row: int = Field(
        10_000,
        ge=1,
        description="So many unusable records without a good one between stop their partition, "
        "because then the fault is likely ours or a producer's, and not the records'.",
    )

    @model_validator(mode="after")
    def _marks_ascend(self) -> Self:
        if self.partition_low_bytes > self.partition_high_bytes:
            text = "must not be above CONSUMER_FLOW__PARTITION_HIGH_BYTES"
            raise wrong("partition_low_bytes", text)
        if self.process_low_bytes > self.process_high_bytes:
            raise wrong("process_low_bytes", "must not be above CONSUMER_FLOW__PROCESS_HIGH_BYTES")
        return self

    def flow_policy(self) -> FlowPolicy:
        """The marks."""
        return FlowPolicy(
            partition_high=int(self.partition_high_bytes),
            partition_low=int(self.partition_low_bytes),
            process_high=int(self.process_high_bytes),
            process_low=int(self.process_low_bytes),
            unsettled=self.unsettled_records,
            dead_letters=self.dead_letters_in_a_row,
        )


class CommitSettings(Group):
    """How often offsets are committed, and what giving up partitions may take."""

    interval_seconds: float = Field(
        1.0,
        gt=0,
        description="Pause between commits. 1 s: a crash repeats little, the brokers hardly "
        "notice.",
    )
    poll_seconds: float = Field(
        0.2,
        gt=0,
        description="How long a poll waits for records while a partition is held back or being "
        "taken over, otherwise a second at least. 200 ms: the loop looks after its marks five "
        "times a second.",
    )
    revoke_seconds: float = Field(
        5.0,
        gt=0,
        description="How long giving partitions back may take in all. 5 s, well below the "
        "rebalance timeout, after which the group goes on without us.",
    )


class ShutdownSettings(Group):
    """What SIGTERM and SIGINT do."""

    timeout_seconds: float = Field(
        20.0,
        gt=0,
        description="How long stopping may take in all. 20 s, below the 30 s after which "
        "orchestrators kill.",
    )
    mode: Literal["handoff", "drain"] = Field(
        "handoff",
        description="`handoff` leaves open calls to the next replica, which hears their open "
        "audio again; `drain` first lets every stream reach its OK. Hand-off, because it is quick "
        "and cuts no utterance.",
    )


def commit_policy(commit: CommitSettings, shutdown: ShutdownSettings) -> CommitPolicy:
    """The pace of both."""
    return CommitPolicy(
        interval=commit.interval_seconds,
        poll=commit.poll_seconds,
        revoke=commit.revoke_seconds,
        shutdown=shutdown.timeout_seconds,
        drain=shutdown.mode == "drain",
    )
