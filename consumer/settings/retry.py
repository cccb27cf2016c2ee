"""When to try again, when to give a session up, and when the API as a whole counts as broken."""

from typing import Self

from pydantic import Field, model_validator

from consumer.core.policy import BackoffPolicy, BreakerPolicy, RetryPolicy
from consumer.settings.group import Group, wrong


class RetrySettings(Group):
    """One session's patience with its streams."""

    attempts: int = Field(
        3,
        ge=1,
        description="Streams that may be refused for what a session sends, without progress "
        "between them, before its audio goes to the dead letters. 3: a chance for a faulty "
        "server behind a balancer, not for a flood.",
    )
    alive_seconds: float = Field(
        30.0,
        gt=0,
        description="A stream that lives this long counts as working, result or not, because "
        "silent callers get no results.",
    )
    stuck_seconds: float = Field(
        900.0,
        gt=0,
        description="A session that settles nothing for this long while the API works goes to the "
        "dead letters. 15 min: many times the horizon, so only a fault lasts as long.",
    )
    initial_seconds: float = Field(
        0.2, gt=0, description="First pause before a new stream. 200 ms: a restart's blink."
    )
    factor: float = Field(
        2.0, ge=1, description="How much longer each further pause is. Doubling, as is usual."
    )
    maximum_seconds: float = Field(
        30.0, gt=0, description="Longest pause. 30 s: a live call shouldn't wait longer."
    )
    jitter: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="The part of a pause that differs from session to session. Half, so that "
        "they don't come back at the same instant.",
    )

    @model_validator(mode="after")
    def _pauses_ascend(self) -> Self:
        if self.maximum_seconds < self.initial_seconds:
            raise wrong("maximum_seconds", "must not be below CONSUMER_RETRY__INITIAL_SECONDS")
        return self

    def retry_policy(self) -> RetryPolicy:
        """When to stop trying."""
        return RetryPolicy(
            attempts=self.attempts,
            alive=self.alive_seconds,
            stuck=self.stuck_seconds,
            backoff=BackoffPolicy(
                initial=self.initial_seconds,
                factor=self.factor,
                maximum=self.maximum_seconds,
                jitter=self.jitter,
            ),
        )


class BreakerSettings(Group):
    """When to stop opening streams at all."""

    sessions: int = Field(
        3,
        ge=1,
        description="Different sessions that fail, with none working between, open the breaker. "
        "3: one may be its own fault, three are not.",
    )
    poisoned_sessions: int = Field(
        5,
        ge=0,
        description="Sessions that may go to the dead letters within the window before it counts "
        "as the API's fault, or ours. 5: bad callers are rare.",
    )
    poisoned_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="The same as a part of the live sessions, for large services.",
    )
    window_seconds: float = Field(
        60.0, gt=0, description="The window of both. A minute: what an operator sees as `now`."
    )
    initial_seconds: float = Field(
        1.0, gt=0, description="First pause before the API is probed. 1 s: no session waits on it."
    )
    maximum_seconds: float = Field(
        30.0, gt=0, description="Longest pause between probes. 30 s: recovery is noticed soon."
    )

    @model_validator(mode="after")
    def _pauses_ascend(self) -> Self:
        if self.maximum_seconds < self.initial_seconds:
            raise wrong("maximum_seconds", "must not be below CONSUMER_BREAKER__INITIAL_SECONDS")
        return self

    def breaker_policy(self) -> BreakerPolicy:
        """When the API counts as broken."""
        return BreakerPolicy(
            sessions=self.sessions,
            poisoned=self.poisoned_sessions,
            poisoned_share=self.poisoned_share,
            window=self.window_seconds,
            backoff=BackoffPolicy(initial=self.initial_seconds, maximum=self.maximum_seconds),
        )
