"""What is counted: the port's suite on the real thing and the fake, and how it is shown."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, get_args

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from consumer.adapters.telemetry.metrics import Counts
from consumer.adapters.telemetry.push import PushOptions, Telemetry, pushing
from consumer.adapters.telemetry.scrape import Scrape, prometheus_name
from consumer.measures import MEASURES, Kind, MetricName
from consumer.ports import Labels, Metrics
from tests.fakes.metrics import FakeMetrics

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "docs" / "contract.md"
FIXED: Mapping[MetricName, Mapping[str, str]] = {
    "records_consumed": {"messaging.system": "kafka"},
    "stream_seconds": {"rpc.system.name": "grpc"},
}


class CountingMetrics(Metrics, Protocol):
    """Metrics that can be looked at."""

    @property
    def values(self) -> dict[MetricName, float]:
        """The totals."""
        ...

    @property
    def series(self) -> dict[MetricName, dict[Labels, float]]:
        """The same by labels."""
        ...


@pytest.mark.parametrize("make", [Counts, FakeMetrics])
def test_counts_add_up_and_gauges_replace(make: Callable[[], CountingMetrics]) -> None:
    """A counter grows by what is counted, a gauge is what was set last."""
    metrics = make()
    metrics.count("records_consumed")
    metrics.count("records_consumed", 4)
    metrics.gauge("held_bytes", 7)
    metrics.gauge("held_bytes", 3)
    assert (metrics.values["records_consumed"], metrics.values["held_bytes"]) == (5, 3)
    assert metrics.values["commits"] == 0


@pytest.mark.parametrize("make", [Counts, FakeMetrics])
def test_labels_are_counted_apart_and_together(make: Callable[[], CountingMetrics]) -> None:
    """The total of a counter is that of all its labels; a gauge's is what it is said to be."""
    metrics = make()
    metrics.count("dead_letters", 2, "late")
    metrics.count("dead_letters", 1, "poisoned")
    metrics.count("dead_letters", 1, "late")
    metrics.gauges("lag_records", 9, {("0",): 4, ("1",): 5})
    metrics.gauges("lag_records", 6, {("1",): 6})
    assert metrics.values["dead_letters"] == 4
    assert metrics.series["dead_letters"]["late",] == 3
    assert metrics.series["dead_letters"]["poisoned",] == 1
    assert metrics.values["lag_records"] == 6
    assert metrics.series["lag_records"] == {("1",): 6}


def test_every_measure_is_described() -> None:
    """Each name has its row, histograms their bounds in order, and nothing is said twice."""
    assert set(MEASURES) == set(get_args(MetricName))
    for name, measure in MEASURES.items():
        assert measure.about, name
        assert measure.unit, name
        bounds = measure.buckets
        assert (measure.kind is Kind.HISTOGRAM) == bool(bounds), name
        assert list(bounds) == sorted(set(bounds)), name
    shown = [prometheus_name(name) for name in MEASURES]
    assert len(set(shown)) == len(shown)
    assert "session" not in {label for measure in MEASURES.values() for label in measure.labels}


def test_every_measure_is_taken() -> None:
    """One that nobody counts would say that nothing ever happens."""
    engine = "".join(file.read_text() for file in (ROOT / "consumer" / "engine").glob("*.py"))
    assert [name for name in MEASURES if f'"{name}"' not in engine] == []


def test_known_labels_are_shown_from_the_start() -> None:
    """At 0, so that the first event is an increase; the reasons are those of the contract."""
    rows = CONTRACT.read_text().split("| reason |")[1].splitlines()
    reasons = [word for row in rows for word in re.findall(r"`([a-z-]+)`", row.split(" | ")[0])]
    assert {(reason,) for reason in reasons} == set(MEASURES["dead_letters"].known)
    codes = {code.name for code in grpc.StatusCode}
    assert {(code,) for code in codes} == set(MEASURES["streams_broken"].known)
    page, _ = Scrape(Counts()).page("")
    assert b'detection_consumer_dead_letters_total{reason="late"} 0.0' in page
    assert b'results_published_total{label="spoofed",level="segment"} 0.0' in page


def filled() -> Counts:
    """Something of every kind."""
    counts = Counts()
    counts.count("records_consumed", 8000)
    counts.count("dead_letters", 2, "late")
    counts.gauge("breaker_open", 1)
    counts.gauges("lag_records", 9, {("0",): 4, ("1",): 5})
    for seconds in (0.004, 0.3, 0.3, 99.0):
        counts.observe("publish_seconds", seconds)
    counts.observe("stream_seconds", 70.0, "OK")
    return counts


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
        ("", "text/plain"),
    ],
)
def test_page_for_prometheus(accept: str, content_type: str) -> None:
    """Prometheus' own parser finds every number where it belongs, in both formats."""
    page, says = Scrape(filled(), FIXED).page(accept)
    assert says.startswith(content_type)
    parse = parser if content_type == "text/plain" else openmetrics
    families = {f.name: f for f in parse.text_string_to_metric_families(page.decode())}
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    kafka = ("messaging_system", "kafka")
    assert found["messaging_client_consumed_messages_total", kafka] == 8000
    assert found["detection_consumer_dead_letters_total", ("reason", "late")] == 2
    assert found["detection_consumer_breaker_open",] == 1
    assert found["detection_consumer_lag_records", ("partition", "1")] == 5
    assert ("detection_consumer_lag_records",) not in found
    bucket = "detection_consumer_publish_seconds_bucket"
    assert [found[bucket, ("le", le)] for le in ("0.005", "0.25", "0.5", "10.0", "+Inf")] == [
        *(1, 1, 3, 3, 4)
    ]
    assert found["detection_consumer_publish_seconds_sum",] == pytest.approx(99.604)
    ok = (("rpc_response_status_code", "OK"), ("rpc_system_name", "grpc"))
    assert found["rpc_client_call_duration_seconds_count", *ok] == 1
    assert len(families) == len(MEASURES)


def test_shows_the_numbers_to_opentelemetry() -> None:
    """A reader sees each with its kind, unit, attributes and number, histograms with our bounds."""
    reader = InMemoryMetricReader()
    counts = Counts()
    telemetry = Telemetry(counts, [reader], fixed=FIXED)
    counts.observe("stream_seconds", 0.3, "OK")
    counts.count("dead_letters", 2, "late")
    counts.count("records_consumed", 3)
    counts.gauge("breaker_open", 1)
    data: Any = reader.get_metrics_data()
    shown = {m.name: m for m in data.resource_metrics[0].scope_metrics[0].metrics}
    dead = shown["detection_consumer.dead_letters"]
    assert (dead.unit, dead.data.is_monotonic) == ("{record}", True)
    [point] = [p for p in dead.data.data_points if p.value]
    assert (point.value, dict(point.attributes)) == (2, {"reason": "late"})
    [point] = shown["messaging.client.consumed.messages"].data.data_points
    assert (point.value, dict(point.attributes)) == (3, {"messaging.system": "kafka"})
    assert shown["detection_consumer.breaker_open"].data.data_points[0].value == 1
    [point] = shown["rpc.client.call.duration"].data.data_points
    assert point.explicit_bounds == MEASURES["stream_seconds"].buckets
    assert point.attributes["rpc.response.status_code"] == "OK"
    telemetry.stop()


class Collector(MetricsServiceServicer):
    """An OTLP receiver: what was exported to it."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        self.came = asyncio.Event()

    async def Export(  # noqa: N802 - its name in the protocol
        self, request: ExportMetricsServiceRequest, _: object
    ) -> ExportMetricsServiceResponse:
        """Take it."""
        self.requests.append(request)
        self.came.set()
        return ExportMetricsServiceResponse()


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    """A receiver and its address."""
    server, collector = grpc.aio.server(), Collector()
    add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # as generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"http://127.0.0.1:{port}"
    await server.stop(None)


async def test_a_collector_that_is_away_holds_nobody_up() -> None:
    """Numbers go on being counted, and stopping takes a moment."""
    counts = Counts()
    telemetry = Telemetry(counts, [pushing(PushOptions("http://127.0.0.1:1", 0.05))])
    counts.observe("publish_seconds", 1.0)
    await asyncio.sleep(0.2)
    async with asyncio.timeout(10):
        await asyncio.to_thread(telemetry.stop)
    assert counts.histograms["publish_seconds"][()].total == 1.0


async def test_pushes_to_a_collector(collector: tuple[Collector, str]) -> None:
    """A real receiver gets all of it again and again, and a last time at the end."""
    receiver, endpoint = collector
    counts = Counts()
    telemetry = Telemetry(counts, [pushing(PushOptions(endpoint, 0.05))])
    counts.count("results_published", 2, "segment", "spoofed")
    async with asyncio.timeout(20):
        await receiver.came.wait()
    counts.count("results_published", 3, "segment", "spoofed")
    await asyncio.to_thread(telemetry.stop)
    [metrics] = receiver.requests[-1].resource_metrics[0].scope_metrics
    [published] = [m for m in metrics.metrics if m.name == "detection_consumer.results_published"]
    [point] = [p for p in published.sum.data_points if p.as_double or p.as_int]
    assert point.as_double == 5
    assert {a.key: a.value.string_value for a in point.attributes} == {
        "level": "segment",
        "label": "spoofed",
    }
