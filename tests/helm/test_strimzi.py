"""Topics and rights are those that the service asks for."""

import pytest

from consumer.adapters.kafka.topics import _COMPACTED
from consumer.app.connect import topic_options
from tests.e2e.guarded import Delivery, rules
from tests.e2e.topics import Names
from tests.helm.chart import Chart, Manifest, Values, environment, example, of_kind, pods
from tests.helm.chart import with_values as changed
from tests.helm.conftest import Start

USER: Values = {
    "config": {
        "CONSUMER_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "CONSUMER_KAFKA__SASL_USERNAME": "calls",
        "CONSUMER_KAFKA__GROUP_ID": "judges",
    },
    "kafka": {"sasl": {"existingSecret": "calls"}},
    "strimzi": {"cluster": "calls", "user": {"enabled": True}},
}
TOPICS: Values = {"strimzi": {"topics": {"enabled": True}}}


def rights(manifests: list[Manifest]) -> dict[tuple[str, str, str], set[str]]:
    """(kind, name, literal or prefix) -> operations."""
    [user] = of_kind(manifests, "KafkaUser")
    return {
        (a["resource"]["type"], a["resource"]["name"], a["resource"]["patternType"]): set(
            a["operations"]
        )
        for a in user["spec"]["authorization"]["acls"]
    }


def test_topics_are_those_that_the_service_looks_for(chart: Chart, start: Start) -> None:
    manifests = chart.render(example("strimzi"))
    wanted = topic_options(start(_settings(manifests)).kafka)
    assert wanted.create is False, "or the service could be faster than the operator"
    topics = {t["spec"]["topicName"]: t for t in of_kind(manifests, "KafkaTopic")}
    assert set(topics) == {wanted.input, *wanted.outputs, wanted.checkpoints}
    assert {t["spec"]["partitions"] for t in topics.values()} == {24}
    for name, topic in topics.items():
        assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "calls"
        assert topic["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        settings = topic["spec"]["config"]
        assert (settings.get("cleanup.policy") == "compact") == (name == wanted.checkpoints)
        assert ("retention.ms" in settings) == (name != wanted.checkpoints)
    assert wanted.checkpoints is not None
    assert topics[wanted.checkpoints]["spec"]["config"].items() >= _COMPACTED.items()


def test_input_topic_belongs_to_others_unless_asked_for(chart: Chart) -> None:
    manifests = chart.render(changed(TOPICS, changed(USER)))
    assert len(of_kind(manifests, "KafkaTopic")) == 4


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("creates", [False, True])
def test_rights_are_those_that_real_brokers_were_asked_for(
    chart: Chart, start: Start, delivery: Delivery, *, creates: bool
) -> None:
    """tests/e2e/test_rights.py shows on Apache Kafka that these are enough and none is idle.

    What comes on top: Describe, which comes with them anyway; the look whether checkpoints are
    compacted; and Create, where the service makes topics itself.
    """
    values = changed({"config": {"CONSUMER_DELIVERY": delivery}}, changed(USER))
    manifests = chart.render(values if creates else changed(TOPICS, values))
    kafka = start(_settings(manifests)).kafka
    wanted = topic_options(kafka)
    results, sessions, letters = wanted.outputs
    names = Names(wanted.input, results, sessions, letters, kafka.group_id)
    expected: dict[tuple[str, str, str], set[str]] = {}
    for rule in rules(names, delivery).values():
        kind = "transactionalId" if rule.kind == "transactional id" else rule.kind
        place = (kind, rule.name, "prefix" if rule.prefix else "literal")
        expected.setdefault(place, {"Describe"}).add(rule.operation)
    expected["topic", str(wanted.checkpoints), "literal"].add("DescribeConfigs")
    if creates:
        for name in (*wanted.outputs, str(wanted.checkpoints)):
            expected["topic", name, "literal"].add("Create")
    assert rights(manifests) == expected


def _settings(manifests: list[Manifest]) -> dict[str, str]:
    found = environment(pods(manifests)[0])
    return {name: text for name, text in found.items() if name.startswith("CONSUMER_")}
