"""Logs, metrics and clocks; the ports' suites run on the real things and on the fakes."""

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, get_args

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import consumer.ports
from consumer.adapters.telemetry.clock import SystemClock
from consumer.adapters.telemetry.logs import LogOptions, Logs
from consumer.adapters.telemetry.metrics import ABOUT, Counts, Telemetry
from consumer.errors import LocalProtocolError
from consumer.ports import Clock, MetricName, Metrics
from tests.fakes.clock import FakeClock
from tests.fakes.log import FakeLog
from tests.fakes.metrics import FakeMetrics


class CountingMetrics(Metrics, Protocol):
    """Metrics that can be looked at."""

    @property
    def values(self) -> dict[MetricName, float]:
        """The numbers."""
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


def test_every_metric_is_described_as_the_ports_say() -> None:
    """Names, kinds and descriptions are those written beside the Literal of all names."""
    source = Path(consumer.ports.__file__).read_text()
    block = source.split("MetricName = Literal[")[1].split("\n]")[0]
    written = dict(re.findall(r'"(\w+)",\s+# (.+)', block))
    assert set(written) == set(get_args(MetricName))
    described = {
        name: ("gauge: " if about.is_gauge else "") + about.description
        for name, about in ABOUT.items()
    }
    assert described == written


def test_shows_the_numbers_to_opentelemetry() -> None:
    """A reader sees every metric with its kind, unit, description and number."""
    counts, reader = Counts(), InMemoryMetricReader()
    telemetry = Telemetry(counts, [reader])
    counts.count("audio_bytes", 8000)
    counts.gauge("breaker_open", 1)
    data: Any = reader.get_metrics_data()
    shown = {m.name: m for m in data.resource_metrics[0].scope_metrics[0].metrics}
    assert len(shown) == len(get_args(MetricName))
    audio, breaker = shown["consumer.audio_bytes"], shown["consumer.breaker_open"]
    assert (audio.unit, audio.description) == ("By", "their bytes")
    assert audio.data.data_points[0].value == 8000
    assert audio.data.is_monotonic
    assert breaker.data.data_points[0].value == 1
    telemetry.stop()


def test_shows_no_metric_that_is_not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that was forgotten in the table is a bug that shows at the start."""
    monkeypatch.delitem(ABOUT, "commits")
    with pytest.raises(LocalProtocolError, match="commits"):
        Telemetry(Counts())


@pytest.mark.parametrize("make", [SystemClock, FakeClock])
async def test_clocks_tell_time(make: Callable[[], Clock]) -> None:
    """Monotonic time never goes back, wall time is milliseconds since the epoch."""
    clock = make()
    first, wall = clock.monotonic(), clock.wall_ms()
    assert clock.monotonic() >= first
    assert clock.wall_ms() >= wall
    assert wall > 1_600_000_000_000


async def test_the_system_clock_is_the_system_s() -> None:
    """Wall time is this machine's, monotonic time the event loop's."""
    before = time.time_ns() // 1_000_000
    assert before <= SystemClock().wall_ms() <= time.time_ns() // 1_000_000
    loop = asyncio.get_running_loop()
    earlier = loop.time()
    assert earlier <= SystemClock().monotonic() <= loop.time()


Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def real_logs(**options: Any) -> Iterator[tuple[Logs, Lines]]:
    """Logs into memory, and what was logged."""
    out = io.StringIO()
    logs = Logs(LogOptions(**options), out)
    try:
        yield logs, lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    finally:
        logs.stop()


def test_lines_carry_level_event_and_fields() -> None:
    """A line says what happened and how important it is, with fields of its own and bound ones."""
    fake = FakeLog()
    with real_logs() as (logs, lines):
        for log in (logs.log, fake):
            bound = log.bind(partition=3)
            bound.info("assigned", offset=7)
            log.warning("lag grows")
            bound.error("stuck", reason="no results")
        real = [
            (line.pop("level"), line.pop("message"), line)
            for line in lines()
            if line.pop("timestamp")
        ]
    assert real == [tuple(line) for line in fake.lines]
    assert fake.events("error") == ["stuck"]


def test_hides_secrets_wherever_they_are() -> None:
    """A secret in an event, a field, a foreign line or a traceback is masked, escaped or not."""
    secrets = ('pa"ss\\wörd', "t0ken", "t0ken-longer", "")
    with real_logs(secrets=secrets) as (logs, lines):
        for secret in secrets[:3]:
            event = f"login with {secret}"
            logs.log.info(event, also=[secret], within=repr([secret]))
        try:
            int("t0ken-longer")
        except ValueError:
            logging.getLogger("aiokafka.conn").exception("failed with %s", "t0ken")
        text = json.dumps(lines())
    for secret in ("rd", "t0ken", "longer"):
        assert secret not in text
    assert text.count("login with ***") == 3
    assert "failed with ***" in text
    assert "invalid literal for int() with base 10: '***'" in text


def test_takes_foreign_lines_along() -> None:
    """Other libraries' lines have the same form, with their name, and never their debug lines."""
    with real_logs(level="debug") as (_, lines):
        foreign = logging.getLogger("aiokafka.consumer")
        foreign.debug("sending %s", b"audio")
        foreign.warning("no leader for %s", "audio-0")
        [line] = lines()
    assert line["message"] == "no leader for audio-0"
    assert (line["level"], line["logger"]) == ("warning", "aiokafka.consumer")
    with real_logs() as (_, lines):
        pass
    logging.getLogger("aiokafka.consumer").warning("after the end")
    assert lines() == []


def test_drops_lines_below_the_level() -> None:
    """Only lines of the level asked for and above are written, ours and others'."""
    with real_logs(level="warning") as (logs, lines):
        logs.log.info("quiet")
        logging.getLogger("x").info("quiet")
        logs.log.warning("loud")
        assert [line["message"] for line in lines()] == ["loud"]


def test_writes_for_people_too() -> None:
    """The console style is a line of text, masked as well."""
    out = io.StringIO()
    logs = Logs(LogOptions(style="console", secrets=("t0ken",)), out)
    logs.log.info("ready", port=8080, token="t0ken")
    logs.stop()
    assert re.search(r"info\s+\S*\s*ready .*port=8080.*token=\*\*\*", out.getvalue())
    assert "secrets" not in repr(LogOptions(secrets=("t0ken",)))
