"""Who a session is, and what it publishes about itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from consumer.core.checkpoint import SessionCheckpoint
from consumer.core.intake import Intake
from consumer.core.tally import Tally
from consumer.core.timeline import Span
from consumer.model import (
    AudioChunk,
    EndReason,
    Incarnation,
    Milliseconds,
    SessionEnded,
    SessionKey,
    SessionResult,
    SessionStarted,
    StreamConfig,
    StreamMessage,
    StreamNumber,
    StreamResult,
)


class Identity:
    """key and incarnation name the session. resumed: the call may have begun earlier. tenant and
    meta: what its records say of it.
    """

    def __init__(
        self,
        key: SessionKey,
        incarnation: Incarnation,
        *,
        resumed: bool = False,
        tenant: str | None = None,
        meta: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.key = key
        self.incarnation = incarnation
        self.resumed = resumed
        self.tenant = tenant
        self.meta = meta

    @classmethod
    def of(cls, checkpoint: SessionCheckpoint) -> Self:
        """The session that goes on."""
        return cls(
            checkpoint.key,
            checkpoint.incarnation,
            resumed=checkpoint.resumed,
            tenant=checkpoint.tenant,
            meta=checkpoint.meta,
        )

    def learn(self, chunk: AudioChunk) -> None:
        """Take over what a record says of its session; the newest word counts."""
        if chunk.tenant is not None:
            self.tenant = chunk.tenant
        if chunk.meta:
            self.meta = chunk.meta

    def started(self, config: StreamConfig, timestamp: Milliseconds) -> SessionStarted:
        """The first audio is here."""
        return SessionStarted(
            session=self.key,
            incarnation=self.incarnation,
            sample_rate=config.sample_rate,
            level=config.level,
            timestamp=timestamp,
            resumed=self.resumed,
            tenant=self.tenant,
            meta=self.meta,
        )

    def result(
        self,
        result: StreamResult,
        span: Span,
        message: StreamMessage,
        stream: StreamNumber,
        intake: Intake,
    ) -> SessionResult:
        """A finding, on the call's clock."""
        timeline = intake.timeline
        first, last, captured = intake.tape.records(span.start, span.end)
        return SessionResult(
            session=self.key,
            incarnation=self.incarnation,
            stream=stream,
            cid=message.cid,
            pid=message.pid,
            message_id=message.message_id,
            result_id=result.id,
            task=result.task,
            level=result.level,
            start_ms=timeline.milliseconds(span.start),
            end_ms=timeline.milliseconds(span.end),
            final_label=result.final_label,
            predictions=result.predictions,
            embedding=result.embedding,
            offsets=(first, last),
            captured_at=captured,
            clamped=span.clamped,
            tenant=self.tenant,
            meta=self.meta,
        )

    def ended(
        self, reason: EndReason, timestamp: Milliseconds, tally: Tally, audio_ms: int
    ) -> SessionEnded:
        """The session is over."""
        return SessionEnded(
            session=self.key,
            incarnation=self.incarnation,
            reason=reason,
            timestamp=timestamp,
            summary=tally.summary(audio_ms),
            tenant=self.tenant,
            meta=self.meta,
        )
