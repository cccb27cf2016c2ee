"""Counts, gauges and histograms as plain numbers for the hot path, shown when somebody asks.

An instrument of the OpenTelemetry SDK costs microseconds per call, an addition nanoseconds. So the
numbers live in dicts, and what shows them reads them when it collects. Only histograms, which are
told a few times a second, go to the SDK at once, where it has a reader.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final, get_args

from consumer.measures import MEASURES, Kind, MetricName
from consumer.ports import Labels

PREFIX: Final = "detection_consumer"


class Histogram:
    """counts: observations by bucket, the last for those above all bounds. total: their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


Recorder = Callable[[MetricName, float, Labels], None]


class Counts:
    """A `ports.Metrics`. values: the total of every counter and gauge, from 0, for pages and tests
    too. series: of those with labels, by these. histograms: by labels. recorder: told of every
    observation besides.
    """

    def __init__(self) -> None:
        plain = [n for n in get_args(MetricName) if MEASURES[n].kind is not Kind.HISTOGRAM]
        self.values: dict[MetricName, float] = dict.fromkeys(plain, 0.0)
        self.series: dict[MetricName, dict[Labels, float]] = {
            name: dict.fromkeys(MEASURES[name].known, 0.0)
            for name in plain
            if MEASURES[name].labels
        }
        self.histograms: dict[MetricName, dict[Labels, Histogram]] = {
            name: {} for name in get_args(MetricName) if name not in self.values
        }
        self.recorder: Recorder | None = None

    def count(self, name: MetricName, n: float = 1, *labels: str) -> None:
        """Add to a counter."""
        self.values[name] += n
        if labels:
            series = self.series[name]
            series[labels] = series.get(labels, 0.0) + n

    def gauge(self, name: MetricName, value: float) -> None:
        """Set a gauge."""
        self.values[name] = value

    def gauges(self, name: MetricName, total: float, values: Mapping[Labels, float]) -> None:
        """Set all of a gauge with labels; those not named are gone."""
        self.values[name] = total
        self.series[name] = dict(values)

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """Add to a histogram."""
        family = self.histograms[name]
        histogram = family.get(labels)
        if histogram is None:
            histogram = family[labels] = Histogram(MEASURES[name].buckets)
        histogram.add(value)
        if self.recorder is not None:
            self.recorder(name, value, labels)

    def points(self, name: MetricName) -> Mapping[Labels, float]:
        """A counter or gauge by its labels, which are none for most."""
        return self.series[name] if name in self.series else {(): self.values[name]}
