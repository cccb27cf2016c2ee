"""The command `watch`, on topics of a real broker."""

import asyncio
import json
import os

import pytest

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.codec.results import PublicationEncoder
from consumer.codec.shapes import OutputFormat
from consumer.model import Outgoing
from tests.adapters.broker import Broker
from tests.cli.conftest import Call
from tests.demo.test_ledger import ANN, BEN, ended, result, started

pytestmark = pytest.mark.broker


def publish(broker: Broker, form: OutputFormat = OutputFormat.JSON) -> None:
    """Two calls: Ann's with a spoofed result, Ben's with a good one, and something unreadable."""
    asyncio.run(_publish(broker, form))


async def _publish(broker: Broker, form: OutputFormat) -> None:
    results = os.environ["CONSUMER_KAFKA__RESULTS_TOPIC"]
    sessions = os.environ["CONSUMER_KAFKA__SESSIONS_TOPIC"]
    for topic in (results, sessions):
        await make_topic(broker.options, topic, 1)
    encoder = PublicationEncoder(results, sessions, form)
    told = (started(ANN), result(ANN, "spoofed"), ended(ANN), result(BEN))
    sink = KafkaSink(broker.options, SinkOptions(idempotent=False))
    await sink.start()
    await (await sink.send(Outgoing(results, 0, b"zoe", b"{")))
    for what in told:
        await (await sink.send(encoder.encode(what, now_ms=1500)))
    await sink.stop()


@pytest.mark.parametrize("form", list(OutputFormat))
def test_results_are_lines(call: Call, kafka: Broker, form: OutputFormat) -> None:
    """Each result is a line; what can't be read is said and passed over."""
    publish(kafka, form)
    done = call("watch", "--from-beginning", "--count", "2")
    assert done.code == 0, done.err
    ann, ben = done.out.splitlines()
    words = " ".join(ann.split())
    assert words == "ann 0.00 - 2.00 s segment deepfake spoofed 0.7500 after 0.50 s"
    assert ben.startswith("ben")
    assert ":0:0 can't be read: bad-json" in done.err


def test_sessions_are_lines_too(call: Call, kafka: Broker) -> None:
    """On demand starts and ends are shown, of one key only."""
    publish(kafka)
    options = ("--sessions", "--from-beginning", "--key", "ann", "--count", "3")
    lines = call("watch", *options).out.splitlines()
    assert sorted(line.split()[1] for line in lines) == ["0.00", "ended", "started"]
    (end,) = [line for line in lines if "ended" in line]
    assert "(marked) after 2.50 s  2.00 s judged  1 bonafide" in end


def test_json_is_as_on_the_topic(call: Call, kafka: Broker) -> None:
    """A program gets one object a line."""
    publish(kafka)
    options = ("--json", "--from-beginning", "--count", "1", "--key", "ben")
    (line,) = call("watch", *options).out.splitlines()
    assert json.loads(line)["session"] == "ben"
    assert json.loads(line)["schema"] == "detection-result.v1"


@pytest.mark.usefixtures("kafka")
def test_missing_topic_is_told(call: Call) -> None:
    """Before the service has run there may be nothing to watch."""
    done = call("watch")
    assert done.code == 1
    assert "no such topic" in done.err
