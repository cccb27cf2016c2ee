"""What is counted as a page for Prometheus, in its own text format or in OpenMetrics."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import exposition
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from consumer.adapters.telemetry.metrics import PREFIX, Counts, Histogram
from consumer.adapters.telemetry.push import Fixed
from consumer.measures import MEASURES, Kind, MetricName

_SUFFIXES: Final = {"s": "_seconds"}
"""What Prometheus wants after a name that says no unit; ours do, the standard ones don't."""


class Scrape:
    """The page. fixed: labels that a measure always has."""

    def __init__(self, counts: Counts, fixed: Fixed | None = None) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counted(counts, fixed or {}))

    def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, as the Accept header of the request wants it."""
        write: Callable[[CollectorRegistry], bytes]
        write, content_type = exposition.choose_encoder(accept)
        return write(self._registry), content_type


def prometheus_name(name: MetricName) -> str:
    """The name of the family; samples of counters have `_total` behind it."""
    measure = MEASURES[name]
    if not measure.standard:
        return f"{PREFIX}_{name}"
    return measure.standard.replace(".", "_") + _SUFFIXES.get(measure.unit, "")


class _Counted(Collector):
    def __init__(self, counts: Counts, fixed: Fixed) -> None:
        self._counts = counts
        self._fixed = fixed

    def collect(self) -> Iterator[Metric]:
        """All families, in the order of the table."""
        for name, measure in MEASURES.items():
            fixed = self._fixed.get(name, {})
            labels = [label.replace(".", "_") for label in (*fixed, *measure.labels)]
            values = tuple(fixed.values())
            named = (prometheus_name(name), measure.about)
            if measure.kind is Kind.HISTOGRAM:
                spread = HistogramMetricFamily(*named, labels=labels)
                for own, histogram in self._counts.histograms[name].items():
                    spread.add_metric((*values, *own), _buckets(histogram), histogram.total)
                yield spread
                continue
            is_gauge = measure.kind is Kind.GAUGE
            family = (GaugeMetricFamily if is_gauge else CounterMetricFamily)(*named, labels=labels)
            for own, value in self._counts.points(name).items():
                family.add_metric((*values, *own), value)
            yield family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(bounds, map(float, accumulate(histogram.counts)), strict=True))
