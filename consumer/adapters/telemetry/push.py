"""Shows what is counted to OpenTelemetry's readers, which export it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from consumer.adapters.telemetry.metrics import PREFIX, Counts
from consumer.errors import ConfigurationError
from consumer.measures import MEASURES, Kind, MetricName
from consumer.ports import Labels

_GOODBYE_MS: Final = 1_000

Fixed = Mapping[MetricName, Mapping[str, str]]
"""Attributes that a measure always has, such as the name of a topic."""


class PushOptions(NamedTuple):
    """endpoint: of an OTLP/gRPC collector, as a URL. seconds: between two pushes."""

    endpoint: str
    seconds: float


def pushing(options: PushOptions) -> MetricReader:
    """A reader that exports again and again. Raises ConfigurationError where it isn't installed."""
    try:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415 - an extra
            OTLPMetricExporter,
        )
    except ImportError as error:
        text = "pushing metrics needs the extra `otlp`: pip install 'detection-consumer[otlp]'"
        raise ConfigurationError(text) from error
    exporter = OTLPMetricExporter(
        endpoint=options.endpoint, insecure=options.endpoint.startswith("http://")
    )
    return PeriodicExportingMetricReader(exporter, export_interval_millis=options.seconds * 1000)


class Telemetry:
    """Shows counts to OpenTelemetry's readers, as of what OTEL_RESOURCE_ATTRIBUTES says."""

    def __init__(
        self, counts: Counts, readers: Sequence[MetricReader], fixed: Fixed | None = None
    ) -> None:
        self._provider = MeterProvider(
            metric_readers=readers, resource=Resource.create(), shutdown_on_exit=False
        )
        self._fixed: Final[Fixed] = fixed or {}
        meter = self._provider.get_meter("consumer")
        for name in counts.values:
            self._show(meter, counts, name)
        self._record(meter, counts)

    def stop(self) -> None:
        """Collect and export one last time, if that is quick, and shut the readers down."""
        self._provider.shutdown(timeout_millis=_GOODBYE_MS)

    def _show(self, meter: Meter, counts: Counts, name: MetricName) -> None:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for labels, value in counts.points(name).items():
                yield Observation(value, self._attributes(name, labels))

        measure = MEASURES[name]
        is_gauge = measure.kind is Kind.GAUGE
        create = meter.create_observable_gauge if is_gauge else meter.create_observable_counter
        create(_name(name), [observe], measure.unit, measure.about)

    def _record(self, meter: Meter, counts: Counts) -> None:
        instruments = {
            name: meter.create_histogram(
                _name(name),
                MEASURES[name].unit,
                MEASURES[name].about,
                explicit_bucket_boundaries_advisory=MEASURES[name].buckets,
            )
            for name in counts.histograms
        }

        def record(name: MetricName, value: float, labels: Labels) -> None:
            instruments[name].record(value, self._attributes(name, labels))

        counts.recorder = record

    def _attributes(self, name: MetricName, labels: Labels) -> dict[str, str]:
        own = dict(zip(MEASURES[name].labels, labels, strict=True))
        return {**self._fixed.get(name, {}), **own}


def _name(name: MetricName) -> str:
    return MEASURES[name].standard or f"{PREFIX}.{name}"
