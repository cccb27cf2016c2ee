"""A real Prometheus scrapes a real service: every metric arrives, and the rules see a fault."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from consumer.adapters.telemetry.scrape import prometheus_name
from consumer.demo.child import Child
from consumer.demo.port import HOST, free_port, healthy
from consumer.measures import MEASURES, Kind
from tests.e2e.calls import readings
from tests.e2e.process import Consumer, environment
from tests.e2e.stage import Stage
from tests.monitoring.boards import DASHBOARDS
from tests.monitoring.test_alerts import RULES, rules

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

_MOVED = (
    "sum(detection_consumer_results_published_total) > 0"
    " and sum(detection_consumer_audio_judged_seconds_total) > 0"
    " and sum(detection_consumer_commits_total) > 0"
)


class Scraper:
    """A Prometheus at work."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        url = f"http://{HOST}:{self._port}/api/v1/{path}"
        async with aiohttp.request("GET", url, params=parameters) as answer:
            body = await answer.json()
            assert body["status"] == "success", body
            return body["data"]

    async def value(self, expression: str) -> float | None:
        """An expression's only value just now, None for an empty answer."""
        found = (await self.ask("query", query=expression))["result"]
        return float(found[0]["value"][1]) if found else None


@asynccontextmanager
async def scraping(program: str, folder: Path, consumer: Consumer) -> AsyncIterator[Scraper]:
    """Prometheus, looking at this consumer twice a second, with our rules."""
    port = free_port()
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "consumer",
                "static_configs": [{"targets": [f"{HOST}:{consumer.admin}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = (
        *(program, f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={HOST}:{port}"),
    )
    child = Child("prometheus", command, folder / "prometheus.log", environment())
    await child.start()
    try:
        await child.until(healthy(port, "/-/ready"), 30.0)
        yield Scraper(port)
    finally:
        await child.stop()


async def test_prometheus_sees_all_of_it(
    prometheus: str, promtool: str, stage: Stage, tmp_path: Path
) -> None:
    """What the table names is there after some calls, with numbers that moved; its tool has no
    complaint about our names; and an outage of the API is seen where the rules look.
    """
    calls = readings(4, partitions=2)
    consumer = await stage.start()
    async with scraping(prometheus, tmp_path, consumer) as scraper:
        await stage.until(lambda: _sees(scraper, "detection_consumer_sessions_live == 0"), "calm")
        await stage.feeder.play(calls, until=9)
        await stage.first_utterances(calls)
        await stage.until(lambda: _sees(scraper, _MOVED), "counters moved")
        states = {r["state"] for g in (await scraper.ask("rules"))["groups"] for r in g["rules"]}
        assert states <= {"inactive", "pending"}
        await stage.kill_sandbox()
        down = rules()["DetectionApiDown"]["expr"]
        await stage.until(lambda: _sees(scraper, down), "an open breaker")
        await stage.until(lambda: _has_all(scraper), "every metric")
        await stage.start_sandbox()
        await stage.until(lambda: _not(scraper, down), "a closed breaker")
        await stage.feeder.play(calls, end=True)
        await stage.over()
        assert await stage.complaints() == []
        await stage.until(lambda: _sees(scraper, "detection_consumer_sessions_live == 0"), "calm")
        assert [each async for each in _lifeless(scraper)] == []
    await _lint(promtool, consumer)


def _samples() -> set[str]:
    """Names of samples that every replica with live calls has."""
    suffix = {Kind.COUNTER: "_total", Kind.HISTOGRAM: "_bucket", Kind.GAUGE: ""}
    return {prometheus_name(name) + suffix[m.kind] for name, m in MEASURES.items()}


async def _lifeless(scraper: Scraper) -> AsyncIterator[str]:
    """Queries of panels that found nothing during the run, or nothing that moved."""
    end = time.time()
    for panel in (p for board in DASHBOARDS for _, panels in board.rows for p in panels):
        for query, _ in panel.queries:
            expression = query.replace("$__rate_interval", "5s")
            span = {"start": str(end - 60), "end": str(end), "step": "1"}
            found = (await scraper.ask("query_range", query=expression, **span))["result"]
            seen = {(str(one["metric"]), value) for one in found for _, value in one["values"]}
            if len(seen) < 2 and not (panel.quiet and (seen or ">" in query)):
                yield f"{panel.title}: {query}"


async def _has_all(scraper: Scraper) -> bool:
    return _samples() <= set(await scraper.ask("label/__name__/values"))


async def _sees(scraper: Scraper, expression: str) -> bool:
    return await scraper.value(expression) is not None


async def _not(scraper: Scraper, expression: str) -> bool:
    return not await _sees(scraper, expression)


async def _lint(promtool: str, consumer: Consumer) -> None:
    url = f"http://{HOST}:{consumer.admin}/metrics"
    async with aiohttp.request("GET", url) as answer:
        page = await answer.read()
    linted = await asyncio.to_thread(
        subprocess.run, [promtool, "check", "metrics"], input=page, capture_output=True
    )
    assert linted.returncode == 0, linted.stderr.decode()
