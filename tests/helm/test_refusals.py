"""Contradictions are refused with a text that tells what to do."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.helm.chart import REQUIRED, Chart, Refused, Values, with_values
from tests.helm.generated import CHART

SASL: Values = {
    "config": {
        "CONSUMER_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "CONSUMER_KAFKA__SASL_USERNAME": "consumer",
    },
    "kafka": {"sasl": {"existingSecret": "login"}},
}


def config(**settings: Any) -> Values:
    return {"config": {f"CONSUMER_{name}": value for name, value in settings.items()}}


def scaling(**changes: Any) -> Values:
    return {"autoscaling": changes}


def strimzi(**changes: Any) -> Values:
    return {"strimzi": {"cluster": "calls", **changes}}


def topics(what: str, **settings: Any) -> Values:
    return strimzi(topics={"enabled": True, what: {"config": settings}})


CONTRADICTIONS: dict[str, tuple[Values, str]] = {
    "instance id": (config(KAFKA__INSTANCE_ID="one"), "use workload: statefulset"),
    "env file": (config(ENV_FILE="/x"), "config.CONSUMER_ENV_FILE would hide settings"),
    "config file": (config(CONFIG="/x"), "config.CONSUMER_CONFIG would hide settings"),
    "token in plain": (config(API__TOKEN="hush"), "name that in api.existingSecret"),
    "password in plain": (
        config(KAFKA__SASL_PASSWORD="hush"),
        "name that in kafka.sasl.existingSecret",
    ),
    "key password in plain": (
        config(KAFKA__SSL_KEY_PASSWORD="hush"),
        "name its key in keyPasswordKey",
    ),
    "token file twice": (
        config(API__TOKEN_FILE="/x"),
        "config.CONSUMER_API__TOKEN_FILE is set twice",
    ),
    "setting among variables": (
        {"extraEnv": [{"name": "CONSUMER_API__TOKEN", "value": "hush"}]},
        "extraEnv may not hold CONSUMER_API__TOKEN",
    ),
    "our own variable": (
        {"extraEnv": [{"name": "POD_NAME", "value": "x"}]},
        "extraEnv may not hold POD_NAME",
    ),
    "no password": (
        config(KAFKA__SECURITY_PROTOCOL="SASL_SSL", KAFKA__SASL_USERNAME="x"),
        "kafka.sasl.existingSecret is missing: SASL_SSL needs a password",
    ),
    "no user": (
        {**config(KAFKA__SECURITY_PROTOCOL="SASL_SSL"), "kafka": SASL["kafka"]},
        "config.CONSUMER_KAFKA__SASL_USERNAME is missing",
    ),
    "login without SASL": (
        {"kafka": SASL["kafka"]},
        "kafka.sasl.existingSecret is set, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is PLAIN",
    ),
    "user twice": (
        with_values({"kafka": {"sasl": {"usernameKey": "user"}}}, SASL),
        "the SASL user is named twice",
    ),
    "key of no secret": (
        {"kafka": {"sasl": {"usernameKey": "user"}}},
        "kafka.sasl.usernameKey is a key of kafka.sasl.existingSecret, which is missing",
    ),
    "authorities without TLS": (
        {"kafka": {"ca": {"configMap": "x"}}},
        "kafka.ca or kafka.clientCertificate is set, but",
    ),
    "certificate without TLS": (
        {"kafka": {"clientCertificate": {"existingSecret": "x"}}},
        "make it SSL or SASL_SSL",
    ),
    "authorities twice": (
        {"api": {"ca": {"existingSecret": "x", "configMap": "y"}}},
        "api.ca: set existingSecret or configMap, not both",
    ),
    "authorities of a plain API": (
        {**config(API__TLS=False), "api": {"ca": {"configMap": "y"}}},
        "api.ca is set, but config.CONSUMER_API__TLS is false",
    ),
    "no admin port": (config(ADMIN__ENABLED=False), "must stay true: the probes ask"),
    "unreachable admin port": (
        config(ADMIN__LISTEN="127.0.0.1:8080"),
        "CONSUMER_ADMIN__LISTEN is 127.0.0.1:8080, where no probe gets to",
    ),
    "any admin port": (config(ADMIN__LISTEN="0.0.0.0:0"), "has port 0, which probes can't know"),
    "short grace": (
        {"terminationGracePeriodSeconds": 24},
        "leave it out or make it 25 at least",
    ),
    "long shutdown": (
        {**config(SHUTDOWN__TIMEOUT_SECONDS=59.5), "terminationGracePeriodSeconds": 60},
        "leave it out or make it 65 at least",
    ),
    "slow heartbeat": (
        config(KAFKA__HEARTBEAT_SECONDS=7),
        "HEARTBEAT_SECONDS is 7 and must be at most a third of CONSUMER_KAFKA__SESSION_TIMEOUT",
    ),
    "slow revocation": (
        config(COMMIT__REVOKE_SECONDS=30),
        "REVOKE_SECONDS is 30 and must be below CONSUMER_KAFKA__REBALANCE_TIMEOUT_SECONDS",
    ),
    "long transactions": (
        config(DELIVERY="exactly_once", KAFKA__TRANSACTION_TIMEOUT_SECONDS=20),
        "must be below CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS, which is 20",
    ),
    "rare commits": (
        config(DELIVERY="exactly_once", COMMIT__INTERVAL_SECONDS=5.5),
        "must be at most a third of CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS, which is 15",
    ),
    "one topic for two": (
        config(KAFKA__DEAD_LETTER_TOPIC="detection-results"),
        'are both "detection-results"',
    ),
    "default that is taken": (config(KAFKA__RESULTS_TOPIC="call-audio-dlq"), "are both"),
    "group that is no topic": (
        config(KAFKA__GROUP_ID="a group"),
        "config.CONSUMER_KAFKA__CHECKPOINTS_TOPIC is missing",
    ),
    "two scalers": (
        scaling(hpa={"enabled": True}, keda={"enabled": True}),
        "autoscaling.hpa and autoscaling.keda are both on",
    ),
    "more than the most": (scaling(minReplicas=11), "autoscaling.minReplicas, 11, is above"),
    "nothing to scale by": (
        scaling(hpa={"enabled": True, "targetCPUUtilizationPercentage": None}),
        "autoscaling.hpa has nothing to scale by",
    ),
    "part of no request": (
        {**scaling(hpa={"enabled": True}), "resources": {"requests": {"cpu": None}}},
        "resources.requests.cpu is missing",
    ),
    "no Prometheus": (
        scaling(keda={"enabled": True, "sessions": {"enabled": True}}),
        "autoscaling.keda.sessions.serverAddress is missing",
    ),
    "password that KEDA can't read": (
        {
            **config(
                KAFKA__SECURITY_PROTOCOL="SASL_SSL",
                KAFKA__SASL_USERNAME="x",
                KAFKA__SASL_PASSWORD_FILE="/x",
            ),
            **scaling(keda={"enabled": True}),
        },
        "autoscaling.keda needs the SASL password too",
    ),
    "telemetry that gets nowhere": (
        {
            **config(METRICS__OTLP_ENDPOINT="http://collector:4317"),
            "networkPolicy": {"enabled": True},
        },
        "turn networkPolicy.egress.otlp on",
    ),
    "no cluster": ({"strimzi": {"user": {"enabled": True}}}, "strimzi.cluster is missing"),
    "topics made twice": (
        {**config(KAFKA__CREATE_TOPICS=True), **strimzi(topics={"enabled": True})},
        "config.CONSUMER_KAFKA__CREATE_TOPICS is set twice",
    ),
    "checkpoints that age": (
        topics("checkpoints", **{"cleanup.policy": "delete"}),
        "must have cleanup.policy: compact",
    ),
    "compacted results": (
        topics("results", **{"cleanup.policy": "compact,delete"}),
        "strimzi.topics.results.config has cleanup.policy compact,delete",
    ),
    "audio for ever": (
        topics("deadLetters", **{"retention.ms": None}),
        "strimzi.topics.deadLetters.config must have retention.ms",
    ),
    "user without login": (
        strimzi(user={"enabled": True}),
        "authentication is scram-sha-512, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is PLAIN",
    ),
    "certificate without encryption": (
        strimzi(user={"enabled": True, "authentication": "tls"}),
        "strimzi.user.authentication is tls, but",
    ),
}


@pytest.fixture(scope="module")
def refusals(chart: Chart) -> Mapping[str, str]:
    """What Helm says to each contradiction; empty where it says nothing."""

    def told(changes: Values) -> str:
        try:
            chart.render(changes)
        except Refused as refusal:
            return str(refusal)
        return ""

    found = {name: told(with_values(changes)) for name, (changes, _) in CONTRADICTIONS.items()}
    return {**found, "everything missing": told({})}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradiction_is_refused(refusals: Mapping[str, str], name: str) -> None:
    _, text = CONTRADICTIONS[name]
    assert text in refusals[name]


def test_all_that_is_missing_is_told_at_once(refusals: Mapping[str, str]) -> None:
    told = refusals["everything missing"]
    for name in ("KAFKA__BOOTSTRAP_SERVERS", "API__TARGET", "API__CID"):
        assert f"config.CONSUMER_{name} is missing" in told
    assert "api.existingSecret is missing" in told


def test_every_check_is_seen_to_refuse(refusals: Mapping[str, str]) -> None:
    """Each text of the checks was brought out by some contradiction above."""
    checks = (CHART / "templates" / "_checks.tpl").read_text()
    problems = checks.partition('define "detection-consumer.warnings"')[0]
    texts = re.findall(r'append \$found \(?(?:printf )?"((?:[^"\\]|\\.)+)"', problems)
    assert len(texts) == problems.count("append $found")
    for text in texts:
        shape = ".+".join(re.escape(part) for part in re.split(r"%[svqd]", text))
        assert any(re.search(shape, told) for told in refusals.values()), text


REFUSED_BY_SCHEMA: dict[str, Values] = {
    "unknown value": {"replicaz": 3},
    "unknown nested value": {"autoscaling": {"keda": {"lag": 3}}},
    "unknown setting": config(KAFKA__TOPIC="x"),
    "setting of the wrong type": config(COMMIT__INTERVAL_SECONDS="often"),
    "setting out of its range": config(KAFKA__HEARTBEAT_SECONDS=0),
    "number that Helm would change": config(API__CID=9007199254740993),
    "word that is none of the allowed": config(DELIVERY="at_most_once"),
    "address without a port": config(KAFKA__BOOTSTRAP_SERVERS="kafka"),
    "address with a scheme": config(API__TARGET="https://api.example:443"),
    "topic that Kafka can't have": config(KAFKA__INPUT_TOPIC="a b"),
    "workload": {"workload": "daemonset"},
    "digest": {"image": {"digest": "sha256:1234"}},
    "no replicas": {"replicas": -1},
    "port": {"service": {"port": 70000}},
    "secret": {"api": {"existingSecret": "Not A Name"}},
}


@pytest.mark.parametrize("name", REFUSED_BY_SCHEMA)
def test_schema_refuses(chart: Chart, name: str) -> None:
    with pytest.raises(Refused, match="don't meet the specifications of the schema"):
        chart.render(with_values(REFUSED_BY_SCHEMA[name]))


def test_the_number_that_helm_would_change_may_be_a_text(chart: Chart) -> None:
    assert chart.render(with_values(config(API__CID="9007199254740993")))


def test_a_chart_inside_another_gets_what_helm_adds(chart: Chart) -> None:
    """Helm hands `global` to every subchart, which a strict schema must not refuse."""
    assert chart.render(with_values({"global": {"anything": 1}}))


def test_old_kubernetes_is_refused(chart: Chart) -> None:
    with pytest.raises(Refused, match="kubeVersion"):
        chart.render(REQUIRED, "--kube-version", "1.26.0")
