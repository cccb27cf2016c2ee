"""Output shapes to the protobuf messages of proto/records.proto and back."""

from collections.abc import Mapping
from typing import TypeVar

from consumer.codec.shapes import (
    RESULT_SCHEMA,
    SESSION_SCHEMA,
    EndedShape,
    IncarnationShape,
    PredictionShape,
    ResultShape,
    SessionShape,
    StartedShape,
    SummaryShape,
)
from consumer.errors import RecordError
from consumer.model import EndReason, Level, LevelChoice
from consumer.pb import records_pb2 as pb

Word = TypeVar("Word")

_LEVELS = {
    Level.SEGMENT: pb.RESULT_LEVEL_SEGMENT,
    Level.UTTERANCE: pb.RESULT_LEVEL_UTTERANCE,
}
_CHOICES = {
    LevelChoice.SEGMENT: pb.LEVEL_CHOICE_SEGMENT,
    LevelChoice.UTTERANCE: pb.LEVEL_CHOICE_UTTERANCE,
    LevelChoice.ALL: pb.LEVEL_CHOICE_ALL,
}
_REASONS = {
    EndReason.MARKED: pb.END_REASON_MARKED,
    EndReason.IDLE: pb.END_REASON_IDLE,
}


def write_message(shape: ResultShape | SessionShape) -> bytes:
    """The shape as a DetectionResult or SessionEvent message, the same bytes each time."""
    if isinstance(shape, ResultShape):
        message: pb.DetectionResult | pb.SessionEvent = _result_message(shape)
    else:
        message = _session_message(shape)
    return message.SerializeToString(deterministic=True)


def result_of(message: pb.DetectionResult) -> ResultShape:
    """The shape that a message holds. Raises RecordError for an unknown level."""
    return ResultShape(
        schema=RESULT_SCHEMA,
        id=message.id,
        session=message.session,
        incarnation=_incarnation_of(message.incarnation),
        stream=message.stream,
        cid=message.cid,
        pid=message.pid,
        message_id=message.message_id,
        result_id=message.result_id,
        task=message.task,
        level=_member(_LEVELS, "level", message.level),
        start=message.start_ms / 1000,
        end=message.end_ms / 1000,
        final_label=message.final_label,
        predictions=tuple(map(_prediction_of, message.predictions)),
        embedding=message.embedding if message.HasField("embedding") else None,
        offsets=(message.first_offset, message.last_offset),
        captured_at=message.captured_at,
        latency_ms=message.latency_ms,
        clamped=message.clamped,
        tenant=message.tenant if message.HasField("tenant") else None,
        meta=dict(message.meta),
    )


def session_of(message: pb.SessionEvent) -> SessionShape:
    """The shape that a message holds. Raises RecordError for an unknown event, level or reason."""
    kind = message.WhichOneof("event")
    if kind == "started":
        return _started_of(message)
    if kind == "ended":
        return _ended_of(message)
    raise RecordError("bad-protobuf", "a session event that this version doesn't know")


def _result_message(shape: ResultShape) -> pb.DetectionResult:
    return pb.DetectionResult(
        id=shape.id,
        session=shape.session,
        incarnation=_incarnation_message(shape.incarnation),
        stream=shape.stream,
        cid=shape.cid,
        pid=shape.pid,
        message_id=shape.message_id,
        result_id=shape.result_id,
        task=shape.task,
        level=_LEVELS[shape.level],
        start_ms=round(shape.start * 1000),
        end_ms=round(shape.end * 1000),
        final_label=shape.final_label,
        predictions=map(_prediction_message, shape.predictions),
        embedding=shape.embedding,
        first_offset=shape.offsets[0],
        last_offset=shape.offsets[1],
        captured_at=shape.captured_at,
        latency_ms=shape.latency_ms,
        clamped=shape.clamped,
        tenant=shape.tenant,
        meta=shape.meta,
    )


def _session_message(shape: SessionShape) -> pb.SessionEvent:
    message = pb.SessionEvent(
        id=shape.id,
        session=shape.session,
        incarnation=_incarnation_message(shape.incarnation),
        timestamp=shape.timestamp,
        tenant=shape.tenant,
        meta=shape.meta,
    )
    if isinstance(shape, StartedShape):
        message.started.CopyFrom(_started_message(shape))
    else:
        message.ended.CopyFrom(_ended_message(shape))
    return message


def _started_message(shape: StartedShape) -> pb.SessionStarted:
    return pb.SessionStarted(
        sample_rate=shape.sample_rate, level=_CHOICES[shape.level], resumed=shape.resumed
    )


def _ended_message(shape: EndedShape) -> pb.SessionEnded:
    summary = shape.summary
    return pb.SessionEnded(
        reason=_REASONS[shape.reason],
        audio_ms=summary.audio_ms,
        judged_ms=summary.judged_ms,
        filled_ms=summary.filled_ms,
        records=summary.records,
        results=summary.results,
        streams=summary.streams,
        repeats=summary.repeats,
        missing=summary.missing,
        dead_letters=summary.dead_letters,
        labels=summary.labels,
        pids=summary.pids,
    )


def _started_of(message: pb.SessionEvent) -> StartedShape:
    return StartedShape(
        schema=SESSION_SCHEMA,
        id=message.id,
        session=message.session,
        incarnation=_incarnation_of(message.incarnation),
        timestamp=message.timestamp,
        sample_rate=message.started.sample_rate,
        level=_member(_CHOICES, "level", message.started.level),
        resumed=message.started.resumed,
        tenant=message.tenant if message.HasField("tenant") else None,
        meta=dict(message.meta),
    )


def _ended_of(message: pb.SessionEvent) -> EndedShape:
    return EndedShape(
        schema=SESSION_SCHEMA,
        id=message.id,
        session=message.session,
        incarnation=_incarnation_of(message.incarnation),
        timestamp=message.timestamp,
        reason=_member(_REASONS, "reason", message.ended.reason),
        summary=_summary_of(message.ended),
        tenant=message.tenant if message.HasField("tenant") else None,
        meta=dict(message.meta),
    )


def _summary_of(ended: pb.SessionEnded) -> SummaryShape:
    return SummaryShape(
        audio_ms=ended.audio_ms,
        judged_ms=ended.judged_ms,
        filled_ms=ended.filled_ms,
        records=ended.records,
        results=ended.results,
        streams=ended.streams,
        repeats=ended.repeats,
        missing=ended.missing,
        dead_letters=ended.dead_letters,
        labels=dict(ended.labels),
        pids=tuple(ended.pids),
    )


def _incarnation_message(shape: IncarnationShape) -> pb.Incarnation:
    return pb.Incarnation(topic=shape.topic, partition=shape.partition, offset=shape.offset)


def _incarnation_of(message: pb.Incarnation) -> IncarnationShape:
    return IncarnationShape(message.topic, message.partition, message.offset)


def _prediction_message(shape: PredictionShape) -> pb.Prediction:
    return pb.Prediction(
        label=shape.label, posterior=shape.posterior, logit=shape.logit, score=shape.score
    )


def _prediction_of(message: pb.Prediction) -> PredictionShape:
    return PredictionShape(
        label=message.label,
        posterior=message.posterior if message.HasField("posterior") else None,
        logit=message.logit if message.HasField("logit") else None,
        score=message.score if message.HasField("score") else None,
    )


def _member(table: Mapping[Word, int], name: str, number: int) -> Word:
    for member, its_number in table.items():
        if its_number == number:
            return member
    raise RecordError("bad-protobuf", f"{name} {number} is unknown to this version")
