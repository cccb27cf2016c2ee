"""When a session ends, what its numbers mean, how much of it is held and how it is sent."""

from typing import Self

from pydantic import ByteSize, Field, model_validator

from consumer.core.policy import CoalescePolicy, IdlePolicy, MemoryPolicy, SequencePolicy
from consumer.settings.group import Group, wrong


class SessionSettings(Group):
    """The life of a session."""

    idle_timeout_seconds: float = Field(
        60.0,
        gt=0,
        description="A session without records for this long ends. 60 s: longer than a hold that "
        "sends nothing, short enough to free its stream.",
    )
    cut_patience_seconds: float = Field(
        1.5,
        gt=0,
        description="How long a change of streams waits for audio up to the next whole second. "
        "1.5 s: a live call delivers that second in time, a silent one must not wait.",
    )
    settle_hold_seconds: float = Field(
        1.0,
        ge=0,
        description="How long the closing segment may follow its utterance at level `all`. 1 s: "
        "they come out of one computation.",
    )
    sequence_window: int = Field(
        1024,
        ge=1,
        description="How many sequence numbers back a repeat is recognised. 1024 is 20 s of 20 ms "
        "frames, more than a producer's retries span.",
    )
    fill_gaps: bool = Field(
        False,
        description="Put silence in for missing sequence numbers. Off: then the API hears only "
        "what was sent, and call times leave out what was lost.",
    )
    fill_limit_seconds: float = Field(
        5.0,
        ge=0,
        description="At most this much silence for one gap. 5 s: a longer gap is a pause, not a "
        "loss.",
    )
    held_bytes: ByteSize = Field(
        ByteSize(2 << 20),
        ge=1,
        description="Decoded audio that a session may hold; beyond it the oldest is forgotten and "
        "read from Kafka again when needed. 2 MiB is 65 s at 16 kHz; a quarter of it and one fetch "
        "must fit, or a backlog is read twice.",
    )
    refetch_bytes: ByteSize = Field(
        ByteSize(1 << 19),
        ge=1,
        description="How much forgotten audio is read again at once. A quarter of what is held, so "
        "that new audio has room.",
    )
    tight_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="The part of held_bytes that is left to a session while the process is above "
        "its own mark. A quarter: enough to go on, and the mark is reached again soon.",
    )

    def idle_policy(self) -> IdlePolicy:
        """When a session counts as over."""
        return IdlePolicy(timeout=self.idle_timeout_seconds)

    def sequence_policy(self) -> SequencePolicy:
        """What sequence numbers mean."""
        return SequencePolicy(
            window=self.sequence_window,
            fill=self.fill_gaps,
            fill_limit=self.fill_limit_seconds,
        )

    def memory_policy(self) -> MemoryPolicy:
        """How much audio is held."""
        return MemoryPolicy(
            held=int(self.held_bytes),
            fetch=int(self.refetch_bytes),
            tight_share=self.tight_share,
        )


class MessageSettings(Group):
    """How audio is cut into the API's messages."""

    target_seconds: float = Field(
        0.25,
        gt=0,
        description="Small chunks are joined up to this. 250 ms: the API advises 100 to 500 ms.",
    )
    behind_seconds: float = Field(
        0.5,
        gt=0,
        description="A session that is behind joins up to this. 500 ms: the most that the API "
        "advises.",
    )
    linger_seconds: float = Field(
        0.3,
        ge=0,
        description="What there is goes out when its oldest part has waited this long. 300 ms: "
        "a live call fills 250 ms by then.",
    )
    in_flight_seconds: float = Field(
        2.0,
        gt=0,
        description="Audio handed to a stream and not yet taken by it. 2 s keep a stream busy; "
        "more would only wait there.",
    )

    @model_validator(mode="after")
    def _sizes_ascend(self) -> Self:
        if self.behind_seconds < self.target_seconds:
            raise wrong("behind_seconds", "must not be below CONSUMER_MESSAGE__TARGET_SECONDS")
        if self.in_flight_seconds < self.behind_seconds:
            raise wrong("in_flight_seconds", "must not be below CONSUMER_MESSAGE__BEHIND_SECONDS")
        return self

    def coalesce_policy(self) -> CoalescePolicy:
        """How audio is joined."""
        return CoalescePolicy(
            target=self.target_seconds,
            behind=self.behind_seconds,
            linger=self.linger_seconds,
            in_flight=self.in_flight_seconds,
        )
