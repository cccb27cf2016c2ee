"""Apache Kafka says that the rights of the chart's KafkaUser are enough, and which are needed.

The chart's own ACLs are granted to a user of a broker that allows nothing else, and the service
works as that user: with at least once it makes its checkpoint topic itself, with exactly once all
topics are given.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from consumer.adapters.kafka.topics import _COMPACTED, KafkaTopics
from tests.e2e.calls import clip_call
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage
from tests.e2e.test_feed import command
from tests.helm.chart import Chart, Values, of_kind, with_values
from tests.helm.guarded import PASSWORD, USER, grant, guarded_kafka
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import KafkaFactory

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

Guarded = tuple[Cluster, str]


@pytest.fixture(scope="module")
def guarded(new_kafka: KafkaFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One broker for all of these; each test has topics and a group of its own."""
    with guarded_kafka(tmp_path_factory.mktemp("guarded")) as running:
        yield running


def login(address: str) -> dict[str, object]:
    """Settings of a consumer that comes in as the user."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": address,
        "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA__SASL_MECHANISM": "PLAIN",
        "KAFKA__SASL_USERNAME": USER,
        "KAFKA__SASL_PASSWORD": PASSWORD,
    }


def acls(chart: Chart, stage: Stage, delivery: str, *, given: bool) -> list[dict[str, Any]]:
    """What the chart asks for with a stage's names. given: the operator makes the topics."""
    names = stage.names
    values: Values = {
        "config": {
            "CONSUMER_DELIVERY": delivery,
            "CONSUMER_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "CONSUMER_KAFKA__SASL_USERNAME": USER,
            "CONSUMER_KAFKA__INPUT_TOPIC": names.input,
            "CONSUMER_KAFKA__RESULTS_TOPIC": names.results,
            "CONSUMER_KAFKA__SESSIONS_TOPIC": names.sessions,
            "CONSUMER_KAFKA__DEAD_LETTER_TOPIC": names.letters,
            "CONSUMER_KAFKA__GROUP_ID": names.group,
        },
        "kafka": {"sasl": {"existingSecret": "login"}},
        "strimzi": {"cluster": "x", "user": {"enabled": True}, "topics": {"enabled": given}},
    }
    [user] = of_kind(chart.render(with_values(values)), "KafkaUser")
    found: list[dict[str, Any]] = user["spec"]["authorization"]["acls"]
    return found


@pytest.mark.parametrize(("delivery", "given"), [("at_least_once", False), ("exactly_once", True)])
async def test_rights_are_enough(
    chart: Chart, guarded: Guarded, tmp_path: Path, delivery: str, *, given: bool
) -> None:
    kafka, address = guarded
    async with Stage(tmp_path, apache=kafka) as stage:
        await grant(kafka, acls(chart, stage, delivery, given=given))
        changes = {**login(address), "DELIVERY": delivery, "KAFKA__CREATE_TOPICS": not given}
        if given:
            await _make_checkpoints(stage, kafka)
        await stage.start_sandbox()
        code, words = await command(tmp_path, stage.settings(changes), "check")
        assert code == 0, words
        await stage.start_consumer(**changes)
        await stage.feeder.play([clip_call("call", "synthetic_pauses")], end=True)
        await stage.feeder.put(b"bad", b"{", (("content-type", b"application/json"),), 0)
        await stage.over()
        await stage.until(lambda: bool(stage.topics.letters), "a dead letter")
        assert stage.topics.results


async def _make_checkpoints(stage: Stage, kafka: Cluster) -> None:
    name = f"{stage.names.group}-{stage.names.input}-checkpoints"
    async with KafkaTopics(kafka.options) as topics:
        await topics.create([name], stage.partitions, 1, _COMPACTED)


@pytest.mark.parametrize(
    ("kind", "name", "operations"),
    [
        ("topic", "input", {"Read"}),
        ("group", "group", {"Read"}),
        ("topic", "results", {"Write"}),
        ("topic", "checkpoints", {"Read"}),
        ("topic", "checkpoints", {"Write"}),
        ("transactionalId", "transactions", {"Write"}),
    ],
)
async def test_no_right_is_idle(
    chart: Chart, guarded: Guarded, tmp_path: Path, kind: str, name: str, operations: set[str]
) -> None:
    """Without it the service stops or is not ready, and says why."""
    kafka, address = guarded
    async with Stage(tmp_path, apache=kafka) as stage:
        await grant(
            kafka,
            without(
                acls(chart, stage, "exactly_once", given=False), kind, _end(stage, name), operations
            ),
        )
        await stage.start_sandbox()
        consumer = await stage.start_consumer(**login(address), DELIVERY="exactly_once")
        stage.consumers.clear()  # it may die, which is an answer too
        call = clip_call("call", "synthetic_pauses")
        if (name, operations) == ("checkpoints", {"Read"}):
            # Needed only where an owner has left something behind.
            await stage.feeder.play([call], until=10)
            await stage.first_utterances([call])
            assert await consumer.stop() == 0
            consumer = await stage.start_consumer(**login(address), DELIVERY="exactly_once")
            stage.consumers.clear()
        await stage.feeder.play([call], end=True)
        await stage.until(lambda: refused(consumer), "a word about the missing right", 40)


def _end(stage: Stage, name: str) -> str:
    """How the resource's name ends."""
    ends: dict[str, str] = {
        "checkpoints": "-checkpoints",
        "transactions": ":",
        **stage.names._asdict(),
    }
    return ends[name]


def without(
    wanted: list[dict[str, Any]], kind: str, end: str, operations: set[str]
) -> list[dict[str, Any]]:
    """The same without some operations on one resource."""
    fewer = []
    for acl in wanted:
        hit = acl["resource"]["type"] == kind and acl["resource"]["name"].endswith(end)
        left = [each for each in acl["operations"] if not (hit and each in operations)]
        fewer.append({**acl, "operations": left})
    assert fewer != wanted
    return fewer


async def refused(consumer: Consumer) -> bool:
    """It has ended, or is not ready, and speaks of what it may not do."""
    words = consumer.child.log.read_text()
    if consumer.child.running:
        try:
            ok, reasons = await consumer.ready()
        except aiohttp.ClientError:
            return False  # it is about to end
        if ok:
            return False
        words += " ".join(reasons)
    return "uthoriz" in words
