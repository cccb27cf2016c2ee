"""Topics and rights are those that the service asks for."""

import pytest

from consumer.adapters.kafka.topics import _COMPACTED
from consumer.app.connect import topic_options
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
EXACTLY_ONCE: Values = {"config": {"CONSUMER_DELIVERY": "exactly_once"}}
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


@pytest.mark.parametrize("exactly_once", [False, True])
@pytest.mark.parametrize("creates", [False, True])
def test_rights_are_the_least(
    chart: Chart, start: Start, *, exactly_once: bool, creates: bool
) -> None:
    """Which of them are enough, and that none can be left out, Apache Kafka says elsewhere."""
    values = changed(EXACTLY_ONCE if exactly_once else {}, changed(USER))
    manifests = chart.render(values if creates else changed(TOPICS, values))
    kafka = start(_settings(manifests)).kafka
    wanted = topic_options(kafka)
    create = {"Create"} if creates else set()
    expected = {
        ("topic", wanted.input, "literal"): {"Describe", "Read"},
        ("group", kafka.group_id, "literal"): {"Describe", "Read"},
        **{("topic", name, "literal"): {"Describe", "Write"} | create for name in wanted.outputs},
        ("topic", str(wanted.checkpoints), "literal"): {
            *("Describe", "DescribeConfigs", "Read", "Write"),
            *create,
        },
    }
    if exactly_once:
        prefix = f"{kafka.group_id}:{wanted.input}:"
        expected["transactionalId", prefix, "prefix"] = {"Describe", "Write"}
    assert rights(manifests) == expected


def _settings(manifests: list[Manifest]) -> dict[str, str]:
    found = environment(pods(manifests)[0])
    return {name: text for name, text in found.items() if name.startswith("CONSUMER_")}
