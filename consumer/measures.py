"""All that is measured: names, units, kinds and labels, each told once.

Code names a measure by its literal, so a wrong name does not pass the type checker. Units are
UCUM. `standard` is the name that OpenTelemetry's semantic conventions have for it (1.44), which
wins over ours wherever it is shown. No label has a value per session.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Final, Literal, NamedTuple

MetricName = Literal[
    "records_consumed",
    "bytes_consumed",
    "records_skipped",
    "chunks_repeated",
    "chunks_missing",
    "audio_filled_seconds",
    "audio_received_seconds",
    "audio_sent_seconds",
    "audio_judged_seconds",
    "dead_letters",
    "sessions_started",
    "sessions_ended",
    "sessions_poisoned",
    "sessions_live",
    "streams_opened",
    "streams_open",
    "streams_broken",
    "stream_seconds",
    "audio_messages",
    "audio_bytes",
    "audio_forgotten_bytes",
    "audio_replayed_bytes",
    "results_received",
    "results_dropped",
    "results_published",
    "intake_delay_seconds",
    "verdict_delay_seconds",
    "result_delay_seconds",
    "publish_seconds",
    "records_published",
    "publish_retries",
    "commits",
    "commit_failures",
    "commit_seconds",
    "checkpoints_written",
    "rebalances",
    "partitions_restored",
    "sessions_restored",
    "restore_records",
    "restore_seconds",
    "partitions_kept",
    "partitions_retaken",
    "settle_late",
    "partitions_owned",
    "partitions_left_out",
    "partitions_stopped",
    "partitions_still",
    "partition_state",
    "held_bytes",
    "unsettled_records",
    "oldest_unsettled_seconds",
    "position_offset",
    "committed_offset",
    "lag_records",
    "lag_seconds",
    "breaker_open",
    "loop_delay_seconds",
]


class Kind(StrEnum):
    """How it behaves: only grows, goes up and down, or is observed again and again."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Measure(NamedTuple):
    """labels: names, in the order in which values are given. buckets: upper bounds, in its unit.

    known: label values that are shown from the start, at 0, since the first event of a series that
    begins with it looks like none to those who ask for an increase.
    """

    unit: str
    about: str
    kind: Kind = Kind.COUNTER
    labels: tuple[str, ...] = ()
    standard: str = ""
    buckets: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()


_PROMPT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SPOKEN: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_LONG: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 14400.0)
_PARTITION: Final = ("partition",)
_REASONS: Final = (
    "bad-audio", "bad-format", "bad-header", "bad-json", "bad-key", "bad-meta", "bad-protobuf",
    "expired", "late", "no-key", "poisoned", "refused", "stuck", "unknown-content-type",
    "unknown-encoding", "unknown-event", "unknown-level",
)  # fmt: skip
_CODES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
_FINDINGS: Final = product(("segment", "utterance"), ("bonafide", "spoofed", "other"))


def _gauge(unit: str, about: str, *labels: str) -> Measure:
    return Measure(unit, about, Kind.GAUGE, labels)


def _histogram(about: str, buckets: tuple[float, ...], *labels: str, standard: str = "") -> Measure:
    return Measure("s", about, Kind.HISTOGRAM, labels, standard, buckets)


MEASURES: Final[Mapping[MetricName, Measure]] = {
    "records_consumed": Measure(
        "{message}",
        "input records handed to a session or the dead letters",
        standard="messaging.client.consumed.messages",
    ),
    "bytes_consumed": Measure("By", "bytes of their values"),
    "records_skipped": Measure("{record}", "records below the next expected offset"),
    "chunks_repeated": Measure(
        "{chunk}", "chunks dropped because their sequence number was seen before"
    ),
    "chunks_missing": Measure("{chunk}", "sequence numbers that never came"),
    "audio_filled_seconds": Measure("s", "silence put in for chunks that never came"),
    "audio_received_seconds": Measure("s", "call audio taken in from the topic"),
    "audio_sent_seconds": Measure("s", "audio taken by streams, repeated audio included"),
    "audio_judged_seconds": Measure("s", "call audio that a governing result speaks of"),
    "dead_letters": Measure(
        "{record}",
        "records for the dead letter topic",
        labels=("reason",),
        known=tuple((reason,) for reason in _REASONS),
    ),
    "sessions_started": Measure("{session}", "incarnations begun"),
    "sessions_ended": Measure("{session}", "incarnations over"),
    "sessions_poisoned": Measure("{session}", "sessions given up"),
    "sessions_live": _gauge("{session}", "sessions in memory"),
    "streams_opened": Measure("{stream}", "streams opened"),
    "streams_open": _gauge("{stream}", "streams open now"),
    "streams_broken": Measure(
        "{stream}",
        "streams that ended without the OK we asked for",
        labels=("code",),
        known=tuple((code,) for code in _CODES),
    ),
    "stream_seconds": _histogram(
        "life of a stream, from its opening to its end",
        _LONG,
        "rpc.response.status_code",
        standard="rpc.client.call.duration",
    ),
    "audio_messages": Measure("{message}", "audio messages taken by streams"),
    "audio_bytes": Measure("By", "bytes of audio taken by streams"),
    "audio_forgotten_bytes": Measure("By", "audio dropped from memory, read again if needed"),
    "audio_replayed_bytes": Measure("By", "audio read a second time"),
    "results_received": Measure("{result}", "results of the API"),
    "results_dropped": Measure("{result}", "results that repeat what was published before"),
    "results_published": Measure(
        "{result}",
        "results on their way to the output topic",
        labels=("level", "label"),
        known=tuple(_FINDINGS),
    ),
    "intake_delay_seconds": _histogram(
        "from a record's time stamp until a stream takes its audio", _SPOKEN
    ),
    "verdict_delay_seconds": _histogram(
        "from handing the last audio of a result to a stream until the result comes",
        _SPOKEN,
        "level",
    ),
    "result_delay_seconds": _histogram(
        "from capturing the last audio of a result until the result goes out", _SPOKEN, "level"
    ),
    "publish_seconds": _histogram(
        "from handing records to the brokers until they are acknowledged", _PROMPT
    ),
    "records_published": Measure(
        "{message}", "output records acknowledged", standard="messaging.client.sent.messages"
    ),
    "publish_retries": Measure("{record}", "output records sent again"),
    "commits": Measure("{commit}", "offset commits that succeeded, in a transaction or alone"),
    "commit_failures": Measure("{commit}", "offset commits that failed"),
    "commit_seconds": _histogram(
        "one commit of offsets or of a transaction",
        _PROMPT,
        standard="messaging.client.operation.duration",
    ),
    "checkpoints_written": Measure("{record}", "records written to the checkpoint topic"),
    "rebalances": Measure("{rebalance}", "assignments by the consumer group"),
    "partitions_restored": Measure(
        "{partition}", "partitions taken over with what earlier owners had left"
    ),
    "sessions_restored": Measure("{session}", "sessions that go on here"),
    "restore_records": Measure(
        "{record}", "records of the checkpoint topic read to take partitions over"
    ),
    "restore_seconds": Measure("s", "time that taking partitions over has needed"),
    "partitions_kept": Measure(
        "{partition}", "partitions that came back in a rebalance and went on as they were"
    ),
    "partitions_retaken": Measure(
        "{partition}", "partitions taken anew because a transaction's fate was not known"
    ),
    "settle_late": Measure("{settle}", "settles of a partition that is no longer ours"),
    "partitions_owned": _gauge("{partition}", "partitions assigned"),
    "partitions_left_out": _gauge("{partition}", "partitions left out of the fetch by a mark"),
    "partitions_stopped": _gauge("{partition}", "partitions stopped by too many dead letters"),
    "partitions_still": _gauge(
        "{partition}", "partitions that do not move although they have more"
    ),
    "partition_state": _gauge("1", "1 for the state that a partition is in", "partition", "state"),
    "held_bytes": _gauge("By", "audio in memory"),
    "unsettled_records": _gauge(
        "{record}", "records whose offset can't be committed yet", *_PARTITION
    ),
    "oldest_unsettled_seconds": _gauge("s", "how long the oldest of them has waited", *_PARTITION),
    "position_offset": _gauge("{offset}", "the next record to take", *_PARTITION),
    "committed_offset": _gauge("{offset}", "what is committed", *_PARTITION),
    "lag_records": _gauge("{record}", "end of a partition minus our position", *_PARTITION),
    "lag_seconds": _gauge("s", "age of the newest record taken while there are more", *_PARTITION),
    "breaker_open": _gauge("1", "1 while no stream may be opened"),
    "loop_delay_seconds": _gauge("s", "how late the event loop last was"),
}
