"""Metrics in memory."""

from collections import defaultdict

from consumer.ports import MetricName


class FakeMetrics:
    """A `ports.Metrics`. values: the number of every metric that was touched, else 0."""

    def __init__(self) -> None:
        self.values: defaultdict[MetricName, float] = defaultdict(float)

    def count(self, name: MetricName, n: float = 1) -> None:
        """Add to a counter."""
        self.values[name] += n

    def gauge(self, name: MetricName, value: float) -> None:
        """Set a gauge."""
        self.values[name] = value
