"""Rights that are taken away while the service runs: it ends and says which, and nothing is lost.

Granted again, the next one goes on as after any end.
"""

import pytest

from tests.e2e.calls import Call, readings
from tests.e2e.guarded import Delivery, login, rules
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster
from tests.kafka.rights import grant, take_back

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]


@pytest.mark.parametrize(
    ("taken", "delivery"),
    [
        ("input", "at_least_once"),
        ("input", "exactly_once"),
        ("results", "at_least_once"),
        ("results", "exactly_once"),
        ("group", "exactly_once"),
    ],
)
async def test_right_taken_away(
    guarded_stage: Stage, guarded_kafka: Cluster, taken: str, delivery: Delivery
) -> None:
    """In mid-call; what is committed then was published, and all is judged after a new start."""
    stage, calls = guarded_stage, readings(2, partitions=2)
    granted = rules(stage.names, delivery)
    await grant(guarded_kafka, *granted.values())
    changes = {**login(guarded_kafka), "DELIVERY": delivery}
    first = await stage.start(**changes)
    await stage.feeder.play(calls, until=9)
    await stage.first_utterances(calls)
    await take_back(guarded_kafka, granted[taken])
    await stage.feeder.play(calls)
    code, words = await first.gives_up()
    assert code == 1
    assert "Traceback" not in words
    told = [line for line in words.splitlines() if line.startswith("detection-consumer: ")]
    right = granted[taken]
    kind = "topic" if right.kind == "topic" else "consumer group"
    says = f"{right.name} (grant this user {right.operation} on the {kind})"
    assert told, words
    assert all(says in line for line in told), "one of a partition may say it too"
    assert "Unclosed" not in words
    assert await unpublished(stage, calls) == []
    assert await stage.lag()
    await grant(guarded_kafka, granted[taken])
    await stage.feeder.play(calls, end=True)
    await stage.start_consumer(**changes)
    await stage.over()
    assert await stage.complaints(restarted=True) == []
    assert stage.topics.letters == []


async def unpublished(stage: Stage, calls: list[Call]) -> list[str]:
    """Records that are committed though no result covers their audio."""
    await stage.until(lambda: True, "one more look at the topics")
    committed = await stage.topics.committed()
    judged = {call.key: max(r.end for r in stage.topics.of(call.key)) for call in calls}
    return [
        f"{call.key} at {place.offset}, judged up to {judged[call.key]} s"
        for call in calls
        for place in stage.feeder.sent[call.key].places
        if place.offset < committed[place.partition]
        and place.start + place.frames > judged[call.key] * call.rate
    ]
