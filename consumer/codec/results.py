"""Publications to output records: shape, id, headers, partition.

Ids are made of what a finding is and not of when it was found, so that a finding that is published
again after a crash has the id it had before, and readers can drop it. Headers follow the binary
mode of the CloudEvents Kafka binding 1.0.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from consumer.codec.fields import ContentType
from consumer.codec.headers import CONTENT_TYPE, META_PREFIX, MIME, Header
from consumer.codec.messages import write_message
from consumer.codec.shapes import (
    RESULT_SCHEMA,
    SESSION_SCHEMA,
    EndedShape,
    IncarnationShape,
    OutputFormat,
    PredictionShape,
    ResultShape,
    StartedShape,
    SummaryShape,
)
from consumer.model import (
    Incarnation,
    Outgoing,
    Prediction,
    Publication,
    SessionEnded,
    SessionResult,
    SessionStarted,
    SessionSummary,
)

RESULT_TYPE = "detection.result.v1"
STARTED_TYPE = "detection.session.started.v1"
ENDED_TYPE = "detection.session.ended.v1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, which is as far as RFC 3339 goes."""
_MIMES = {
    OutputFormat.JSON: MIME[ContentType.JSON],
    OutputFormat.PROTOBUF: MIME[ContentType.PROTOBUF],
}


@dataclass(frozen=True, slots=True)
class PublicationEncoder:
    """Writes what sessions publish. source: the `ce_source` of every record, a URI reference."""

    results_topic: str
    sessions_topic: str
    format: OutputFormat = OutputFormat.JSON
    source: str = "/detection-consumer"

    def encode(self, publication: Publication, now_ms: int) -> Outgoing:
        """The output record; `now_ms` is wall time, for latency and the event's time."""
        shape: ResultShape | StartedShape | EndedShape
        if isinstance(publication, SessionResult):
            shape, kind, time_ms = result_shape(publication, now_ms), RESULT_TYPE, now_ms
        elif isinstance(publication, SessionStarted):
            shape, kind, time_ms = started_shape(publication), STARTED_TYPE, publication.timestamp
        else:
            shape, kind, time_ms = ended_shape(publication), ENDED_TYPE, publication.timestamp
        return Outgoing(
            topic=self.results_topic if kind is RESULT_TYPE else self.sessions_topic,
            partition=publication.incarnation.partition,
            key=publication.session.encode(),
            value=self._value(shape),
            headers=self._headers(publication, shape.id, kind, time_ms),
        )

    def _value(self, shape: ResultShape | StartedShape | EndedShape) -> bytes:
        if self.format is OutputFormat.PROTOBUF:
            return write_message(shape)
        return msgspec.json.encode(shape)

    def _headers(
        self, publication: Publication, event_id: str, kind: str, time_ms: int
    ) -> tuple[Header, ...]:
        tenant = {} if publication.tenant is None else {"tenant": publication.tenant}
        said = {
            "ce_specversion": "1.0",
            "ce_id": event_id,
            "ce_source": self.source,
            "ce_type": kind,
            "ce_time": rfc3339(time_ms),
            "ce_subject": publication.session,
            **tenant,
            **{META_PREFIX + name: text for name, text in publication.meta.items()},
        }
        encoded = ((name, text.encode()) for name, text in said.items())
        return ((CONTENT_TYPE, _MIMES[self.format]), *encoded)


def result_id(result: SessionResult) -> str:
    """The same for the same finding: 32 hex digits that depend on nothing but these six."""
    return _digest(
        result.session,
        str(result.incarnation),
        result.task,
        result.level,
        str(result.start_ms),
        str(result.end_ms),
    )


def result_shape(result: SessionResult, now_ms: int) -> ResultShape:
    """A finding as it stands on the results topic."""
    return ResultShape(
        schema=RESULT_SCHEMA,
        id=result_id(result),
        session=result.session,
        incarnation=_incarnation(result.incarnation),
        stream=result.stream,
        cid=result.cid,
        pid=result.pid,
        message_id=result.message_id,
        result_id=result.result_id,
        task=result.task,
        level=result.level,
        start=result.start_ms / 1000,
        end=result.end_ms / 1000,
        final_label=result.final_label,
        predictions=tuple(map(_prediction, result.predictions)),
        embedding=result.embedding,
        offsets=result.offsets,
        captured_at=result.captured_at,
        latency_ms=now_ms - result.captured_at,
        clamped=result.clamped,
        tenant=result.tenant,
        meta=dict(result.meta),
    )


def started_shape(started: SessionStarted) -> StartedShape:
    """A session's start as it stands on the sessions topic."""
    return StartedShape(
        schema=SESSION_SCHEMA,
        id=_digest(started.session, str(started.incarnation), "started"),
        session=started.session,
        incarnation=_incarnation(started.incarnation),
        timestamp=started.timestamp,
        sample_rate=started.sample_rate,
        level=started.level,
        resumed=started.resumed,
        tenant=started.tenant,
        meta=dict(started.meta),
    )


def ended_shape(ended: SessionEnded) -> EndedShape:
    """A session's end as it stands on the sessions topic."""
    return EndedShape(
        schema=SESSION_SCHEMA,
        id=_digest(ended.session, str(ended.incarnation), "ended"),
        session=ended.session,
        incarnation=_incarnation(ended.incarnation),
        timestamp=ended.timestamp,
        reason=ended.reason,
        summary=_summary(ended.summary),
        tenant=ended.tenant,
        meta=dict(ended.meta),
    )


def rfc3339(time_ms: int) -> str:
    """Milliseconds since the epoch as text; a clock that is out of its mind is held at the ends."""
    held = timedelta(milliseconds=min(max(time_ms, 0), _LAST_MS))
    return (_EPOCH + held).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(*parts: str) -> str:
    text = "".join(f"{part}\0" for part in parts)
    return sha256(text.encode()).hexdigest()[:32]


def _incarnation(incarnation: Incarnation) -> IncarnationShape:
    return IncarnationShape(incarnation.topic, incarnation.partition, incarnation.offset)


def _prediction(prediction: Prediction) -> PredictionShape:
    return PredictionShape(
        prediction.label, prediction.posterior, prediction.logit, prediction.score
    )


def _summary(summary: SessionSummary) -> SummaryShape:
    return SummaryShape(
        audio_ms=summary.audio_ms,
        judged_ms=summary.judged_ms,
        filled_ms=summary.filled_ms,
        records=summary.records,
        results=summary.results,
        streams=summary.streams,
        repeats=summary.repeats,
        missing=summary.missing,
        dead_letters=summary.dead_letters,
        labels=dict(summary.labels),
        pids=summary.pids,
    )
