"""Logs and clocks; the ports' suites run on the real things and on the fakes."""

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumer.adapters.telemetry.clock import SystemClock
from consumer.adapters.telemetry.logs import LogOptions, Logs
from consumer.ports import Clock
from tests.fakes.clock import FakeClock
from tests.fakes.log import FakeLog


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
