"""Rights on real brokers: each that is missing is told by name, and the documented ones suffice."""

import pytest

from consumer.demo.port import HOST
from tests.e2e.calls import readings
from tests.e2e.guarded import Delivery, login, rules
from tests.e2e.process import giving_up
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster
from tests.kafka.properties import PASSWORD
from tests.kafka.rights import grant

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

TOLD = {
    "input": "grant it Read on the topic {0.input}",
    "results": "grant it Write on the topic {0.results}",
    "sessions": "grant it Write on the topic {0.sessions}",
    "letters": "grant it Write on the topic {0.letters}",
    "restoring": "grant it Read on the topic {0.group}-{0.input}-checkpoints",
    "checkpoints": "grant it Write on the topic {0.group}-{0.input}-checkpoints",
    "group": "{0.group} (grant this user Read on the consumer group)",
    "transactions": "TransactionalIdAuthorizationFailed: {0.group}:{0.input}:",
}
"""What is said of each right that is missing."""

ONCE: Delivery = "exactly_once"
LEAST: Delivery = "at_least_once"


@pytest.mark.parametrize("missing", TOLD)
async def test_missing_right(guarded_stage: Stage, guarded_kafka: Cluster, missing: str) -> None:
    """The service does not start; one line names the right, and what it is a right to."""
    names, delivery = guarded_stage.names, ONCE if missing == "transactions" else LEAST
    granted = rules(names, delivery)
    await grant(guarded_kafka, *(rule for use, rule in granted.items() if use != missing))
    code, words = await giving_up(
        guarded_stage.folder,
        guarded_stage.settings(
            {**login(guarded_kafka), "DELIVERY": delivery, "ADMIN__LISTEN": f"{HOST}:0"}
        ),
    )
    assert code == 1
    told = [line for line in words.splitlines() if line.startswith("detection-consumer: ")]
    assert told, words
    assert all(TOLD[missing].format(names) in line for line in told)
    assert len(told) == 1 or missing == "transactions", "each partition has its own"
    assert "Traceback" not in words
    assert PASSWORD not in words


@pytest.mark.parametrize("delivery", [LEAST, ONCE])
async def test_documented_rights(
    guarded_stage: Stage, guarded_kafka: Cluster, delivery: Delivery
) -> None:
    """With them and no others calls are judged, letters written, checkpoints kept and read."""
    stage, calls = guarded_stage, readings(2, partitions=2)
    await grant(guarded_kafka, *rules(stage.names, delivery).values())
    changes = {**login(guarded_kafka), "DELIVERY": delivery}
    first = await stage.start(**changes)
    await (await stage.feeder.put(b"stray", b"?", [("encoding", b"no such")], 0))
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    assert await first.stop() == 0
    await stage.start_consumer(**changes)
    await stage.feeder.play(calls, end=True)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert [letter.key for letter in stage.topics.letters] == [b"stray"]
    starts = [event.session for event in stage.topics.events if event.kind == "started"]
    assert sorted(starts) == [call.key for call in calls], "a call that went on as another one"
