"""Metrics in memory."""

from collections import defaultdict
from collections.abc import Mapping

from consumer.measures import MEASURES, Kind, MetricName
from consumer.ports import Labels


class FakeMetrics:
    """A `ports.Metrics`. values: the number of every metric that was touched, else 0. series: the
    same by labels. observed: what histograms were told.
    """

    def __init__(self) -> None:
        self.values: defaultdict[MetricName, float] = defaultdict(float)
        self.series: defaultdict[MetricName, dict[Labels, float]] = defaultdict(dict)
        self.observed: defaultdict[MetricName, list[tuple[float, Labels]]] = defaultdict(list)

    def count(self, name: MetricName, n: float = 1, *labels: str) -> None:
        """Add to a counter."""
        _check(name, Kind.COUNTER, labels)
        self.values[name] += n
        if labels:
            self.series[name][labels] = self.series[name].get(labels, 0) + n

    def gauge(self, name: MetricName, value: float) -> None:
        """Set a gauge."""
        _check(name, Kind.GAUGE, ())
        self.values[name] = value

    def gauges(self, name: MetricName, total: float, values: Mapping[Labels, float]) -> None:
        """Set all of a gauge with labels."""
        for labels in values:
            _check(name, Kind.GAUGE, labels)
        self.values[name] = total
        self.series[name] = dict(values)

    def observe(self, name: MetricName, value: float, *labels: str) -> None:
        """Add to a histogram."""
        _check(name, Kind.HISTOGRAM, labels)
        self.observed[name].append((value, labels))


def _check(name: MetricName, kind: Kind, labels: Labels) -> None:
    """A measure is used as the table says."""
    measure = MEASURES[name]
    assert measure.kind is kind, f"{name} is a {measure.kind}"
    assert len(labels) == len(measure.labels), f"{name} has the labels {measure.labels}"
