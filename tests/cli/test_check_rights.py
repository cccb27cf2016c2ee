"""The command `check` where brokers count rights, and where transactions are to be had."""

import asyncio

import pytest

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import SinkOptions, TopicOptions, TransactionOptions
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.adapters.kafka.transactor import KafkaTransactor
from consumer.core.claim import Standing
from consumer.model import Offset, Partition
from tests.cli.conftest import Call
from tests.cli.test_check import line
from tests.e2e.guarded import checkpoints, login, rules
from tests.e2e.topics import Names
from tests.kafka.cluster import Cluster
from tests.kafka.rights import Rule, grant

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("sandbox")]

TOLD = {
    "letters": ("topic letters", "grant this user Write on it"),
    "checkpoints": ("topic judges", "grant this user Write on it"),
    "group": ("group judges", "grant this user Read on the consumer group"),
    "transactions": ("transactions", "grant this user Write on all transactional ids"),
}
"""Which line tells of a right that is missing, and how."""


def settle(kafka: Cluster, patch: pytest.MonkeyPatch, settings: dict[str, object]) -> Names:
    """Settings that lead to this cluster, and to names of this test's own."""
    names = Names(*map(kafka.fresh, ("calls", "results", "sessions", "letters", "judges")))
    mine = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
        "KAFKA__INPUT_TOPIC": names.input,
        "KAFKA__RESULTS_TOPIC": names.results,
        "KAFKA__SESSIONS_TOPIC": names.sessions,
        "KAFKA__DEAD_LETTER_TOPIC": names.letters,
        "KAFKA__GROUP_ID": names.group,
        "DELIVERY": "exactly_once",
    }
    for name, value in {**mine, **settings}.items():
        patch.setenv(f"CONSUMER_{name}", str(value))
    return names


async def make(kafka: Cluster, names: Names) -> None:
    """All topics."""
    await make_topic(kafka.options, names.input, 2)
    outputs = (names.results, names.sessions, names.letters)
    async with KafkaTopics(kafka.options) as topics:
        await topics.prepare(
            TopicOptions(input=names.input, outputs=outputs, checkpoints=checkpoints(names))
        )


def test_rights_that_suffice(
    call: Call, guarded_kafka: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the documented ones nothing is wrong, and each is told."""
    names = settle(guarded_kafka, monkeypatch, login(guarded_kafka))
    asyncio.run(make(guarded_kafka, names))
    asyncio.run(grant(guarded_kafka, *rules(names, "exactly_once").values()))
    done = call("check")
    assert done.code == 0, done.out
    assert "2 partitions, 1 copy, Read allowed" in line(done, "topic calls")
    assert "2 partitions, 1 copy, Write allowed" in line(done, "topic results")
    assert "Read and Write allowed" in line(done, f"topic {checkpoints(names)}")
    assert line(done, "writing").endswith("can start, idempotently")
    assert line(done, "transactions").startswith("ok")


@pytest.mark.parametrize("missing", TOLD)
def test_missing_rights(
    call: Call, guarded_kafka: Cluster, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """It is told on the line of what it is a right to, and no other line complains."""
    names = settle(guarded_kafka, monkeypatch, login(guarded_kafka))
    asyncio.run(make(guarded_kafka, names))
    needed = rules(names, "exactly_once")
    asyncio.run(grant(guarded_kafka, *(rule for use, rule in needed.items() if use != missing)))
    done = call("check")
    assert done.code == 1
    what, text = TOLD[missing]
    assert text in line(done, what)
    failed = [each for each in done.out.splitlines() if each.startswith("FAIL")]
    assert failed == [line(done, what)]


def test_group_that_may_only_be_looked_at(
    call: Call, guarded_kafka: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its offsets can be seen, but nobody could join it."""
    names = settle(guarded_kafka, monkeypatch, login(guarded_kafka))
    asyncio.run(make(guarded_kafka, names))
    needed = {**rules(names, "exactly_once"), "group": Rule("group", names.group, "Describe")}
    asyncio.run(grant(guarded_kafka, *needed.values()))
    assert "FAIL group" in (out := call("check").out), out
    assert "grant this user Read on it; members need it to join" in out


def test_checkpoints_that_brokers_would_delete(
    call: Call, apache_kafka: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint topic must be compacted, which shows before `run` does."""
    names = settle(apache_kafka, monkeypatch, {})
    asyncio.run(make_topic(apache_kafka.options, names.input, 1))
    asyncio.run(make_topic(apache_kafka.options, checkpoints(names), 1))
    done = call("check")
    assert done.code == 1
    found = line(done, f"topic {checkpoints(names)}")
    assert found.startswith("FAIL")
    assert "must have cleanup.policy=compact, but has delete" in found


def test_transactions_of_others_go_on(
    call: Call, apache_kafka: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that works is not shut out by a look at whether it could."""
    names = settle(apache_kafka, monkeypatch, {})
    options = TransactionOptions(group_id=names.group)
    place = Partition(names.input, 0)
    with asyncio.Runner() as runner:
        runner.run(make(apache_kafka, names))
        working = KafkaTransactor(apache_kafka.options, SinkOptions(), options, place)
        runner.run(working.start())
        runner.run(working.begin())
        done = call("check")
        assert line(done, "transactions").startswith("ok")
        runner.run(working.commit(Standing(Offset(0))))
        runner.run(working.stop())
