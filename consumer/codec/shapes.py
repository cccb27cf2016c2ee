"""What stands on the output topics: the shapes that writers and readers share.

These are the JSON objects of schemas/detection-result.v1 and schemas/detection-session.v1; the
protobuf messages of proto/records.proto hold the same. What is absent was not sent, not asked for
or empty. Fields are only ever added.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from consumer.model import EndReason, Level, LevelChoice

RESULT_SCHEMA: Literal["detection-result.v1"] = "detection-result.v1"
SESSION_SCHEMA: Literal["detection-session.v1"] = "detection-session.v1"


class OutputFormat(StrEnum):
    """How values on the results and sessions topics are written."""

    JSON = "json"
    PROTOBUF = "protobuf"


class IncarnationShape(msgspec.Struct, frozen=True):
    """One life of a session: the place of its first record."""

    topic: str
    partition: int
    offset: int


class PredictionShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One label with its probability."""

    label: str
    posterior: float | None = None
    logit: float | None = None
    score: float | None = None


class ResultShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding. start and end: seconds since the start of the call, whole milliseconds.

    offsets: first and last input record under the span. captured_at: ms since the epoch.
    latency_ms: from there to when this was written.
    """

    schema: Literal["detection-result.v1"]
    id: str
    session: str
    incarnation: IncarnationShape
    stream: int
    cid: int
    pid: int
    message_id: int
    result_id: str
    task: str
    level: Level
    start: float
    end: float
    final_label: str
    predictions: tuple[PredictionShape, ...]
    embedding: str | None = None
    offsets: tuple[int, int]
    captured_at: int
    latency_ms: int
    clamped: bool
    tenant: str | None = None
    meta: dict[str, str] = {}


class SummaryShape(msgspec.Struct, frozen=True, kw_only=True):
    """A session's counts; times in milliseconds. labels: results per final label."""

    audio_ms: int
    judged_ms: int
    filled_ms: int
    records: int
    results: int
    streams: int
    repeats: int
    missing: int
    dead_letters: int
    labels: dict[str, int]
    pids: tuple[int, ...]


class StartedShape(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="started"
):
    """A session's first audio has arrived. timestamp: ms since the epoch."""

    schema: Literal["detection-session.v1"]
    id: str
    session: str
    incarnation: IncarnationShape
    timestamp: int
    sample_rate: int
    level: LevelChoice
    resumed: bool
    tenant: str | None = None
    meta: dict[str, str] = {}


class EndedShape(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="ended"
):
    """A session is over and all of its audio is settled. timestamp: ms since the epoch."""

    schema: Literal["detection-session.v1"]
    id: str
    session: str
    incarnation: IncarnationShape
    timestamp: int
    reason: EndReason
    summary: SummaryShape
    tenant: str | None = None
    meta: dict[str, str] = {}


SessionShape = StartedShape | EndedShape
"""What stands on the sessions topic."""
