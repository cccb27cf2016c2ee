"""Counts and gauges: plain numbers for the hot path, shown to OpenTelemetry when it asks.

An instrument of the SDK costs microseconds per call, an addition nanoseconds. So the numbers live
in dicts and observable instruments read them at collection time.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, get_args

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from consumer.errors import LocalProtocolError
from consumer.ports import MetricName

PREFIX: Final = "consumer."


class About(NamedTuple):
    """What a reader of a metric sees beside its numbers; units are UCUM, as the field agreed."""

    unit: str
    description: str
    is_gauge: bool = False


ABOUT: Final[dict[MetricName, About]] = {
    "records_consumed": About("{record}", "input records handed to a session or the dead letters"),
    "bytes_consumed": About("By", "bytes of their values"),
    "records_skipped": About("{record}", "records below the next expected offset"),
    "chunks_repeated": About(
        "{chunk}", "chunks dropped because their sequence number was seen before"
    ),
    "chunks_missing": About("{chunk}", "sequence numbers that never came"),
    "frames_filled": About("{frame}", "frames of silence put in for missing chunks"),
    "dead_letters": About("{record}", "records written to the dead letter topic"),
    "sessions_started": About("{session}", "incarnations begun"),
    "sessions_ended": About("{session}", "incarnations over"),
    "sessions_poisoned": About("{session}", "sessions given up"),
    "sessions_live": About("{session}", "sessions in memory", is_gauge=True),
    "streams_opened": About("{stream}", "streams opened"),
    "streams_open": About("{stream}", "streams open now", is_gauge=True),
    "streams_broken": About("{stream}", "streams that ended without OK"),
    "audio_messages": About("{message}", "audio messages taken by streams"),
    "audio_bytes": About("By", "their bytes"),
    "audio_forgotten_bytes": About("By", "audio dropped from memory, to be read again if needed"),
    "audio_replayed_bytes": About("By", "audio read a second time"),
    "results_received": About("{result}", "results the API sent"),
    "results_dropped": About("{result}", "results that repeat what an earlier stream published"),
    "records_published": About("{record}", "output records acknowledged"),
    "publish_retries": About("{record}", "output records sent again"),
    "commits": About("{commit}", "offset commits that succeeded"),
    "commit_failures": About("{commit}", "offset commits that failed"),
    "checkpoints_written": About("{record}", "records written to the checkpoint topic"),
    "partitions_restored": About(
        "{partition}", "partitions taken over with what earlier owners had left"
    ),
    "sessions_restored": About("{session}", "sessions that go on here"),
    "restore_records": About("{record}", "records of the checkpoint topic read to take over"),
    "restore_seconds": About("s", "time that taking partitions over has needed"),
    "partitions_kept": About("{partition}", "partitions that came back and went on as they were"),
    "partitions_retaken": About(
        "{partition}", "partitions taken anew because a transaction's fate was not known"
    ),
    "settle_late": About("{settle}", "settles of a partition that is no longer ours"),
    "partitions_owned": About("{partition}", "partitions assigned", is_gauge=True),
    "partitions_left_out": About(
        "{partition}", "partitions left out of the fetch by a mark", is_gauge=True
    ),
    "partitions_stopped": About(
        "{partition}", "partitions stopped by too many dead letters", is_gauge=True
    ),
    "partitions_still": About(
        "{partition}", "partitions that do not move although they have more", is_gauge=True
    ),
    "held_bytes": About("By", "audio in memory", is_gauge=True),
    "unsettled_records": About(
        "{record}", "records whose offset can't be committed yet", is_gauge=True
    ),
    "oldest_unsettled_seconds": About("s", "how long the oldest of them has waited", is_gauge=True),
    "lag_records": About("{record}", "end of the partitions minus our position", is_gauge=True),
    "breaker_open": About("1", "1 while no stream may be opened", is_gauge=True),
    "loop_delay_seconds": About("s", "how late the event loop last was", is_gauge=True),
}


class Counts:
    """A `ports.Metrics`. values: the number of every metric, from 0, for pages and tests too."""

    def __init__(self) -> None:
        self.values: dict[MetricName, float] = dict.fromkeys(get_args(MetricName), 0.0)

    def count(self, name: MetricName, n: float = 1) -> None:
        """Add to a counter."""
        self.values[name] += n

    def gauge(self, name: MetricName, value: float) -> None:
        """Set a gauge."""
        self.values[name] = value


class Telemetry:
    """Shows counts to OpenTelemetry's readers.

    resource: what the numbers belong to, such as service.name. Readers and exporters come from
    above; without one nothing is collected and nothing costs.
    """

    def __init__(
        self, counts: Counts, readers: Sequence[MetricReader] = (), resource: Resource | None = None
    ) -> None:
        self._provider = MeterProvider(
            metric_readers=readers,
            resource=resource or Resource.create(),
            shutdown_on_exit=False,
        )
        meter = self._provider.get_meter("consumer")
        for name in counts.values:
            _show(meter, counts, name)

    def stop(self) -> None:
        """Collect and export one last time, and shut the readers down."""
        self._provider.shutdown()


def _show(meter: Meter, counts: Counts, name: MetricName) -> None:
    about = ABOUT.get(name)
    if about is None:
        raise LocalProtocolError(f"the metric {name} is described nowhere")

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(counts.values[name])

    create = meter.create_observable_gauge if about.is_gauge else meter.create_observable_counter
    create(PREFIX + name, [observe], about.unit, about.description)
