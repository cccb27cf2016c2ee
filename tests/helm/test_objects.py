"""What single values do to the objects."""

from typing import Any

import pytest
import yaml

from tests.helm.chart import (
    REQUIRED,
    Chart,
    Manifest,
    Values,
    environment,
    example,
    of_kind,
    own_container,
    pods,
    with_values,
)
from tests.helm.generated import CHART

ROOT = CHART.parents[1]


def one(chart: Chart, kind: str, values: Values) -> Manifest:
    """The only object of a kind."""
    [found] = of_kind(chart.render(values), kind)
    return found


def config(**settings: Any) -> Values:
    return with_values({"config": {f"CONSUMER_{name}": value for name, value in settings.items()}})


@pytest.mark.parametrize(
    ("shutdown", "given", "grace"),
    [(None, None, 30), (45.5, None, 56), (20, 25, 25), (1, 300, 300)],
)
def test_grace_period_is_longer_than_the_shutdown(
    chart: Chart, shutdown: float | None, given: int | None, grace: int
) -> None:
    values = REQUIRED if shutdown is None else config(SHUTDOWN__TIMEOUT_SECONDS=shutdown)
    pod = pods(chart.render(with_values({"terminationGracePeriodSeconds": given}, values)))[0]
    assert pod["terminationGracePeriodSeconds"] == grace


@pytest.mark.parametrize("workload", ["deployment", "statefulset"])
@pytest.mark.parametrize("scaler", ["hpa", "keda", None])
def test_replicas_are_left_to_a_scaler(chart: Chart, workload: str, scaler: str | None) -> None:
    scaling = {"autoscaling": {scaler: {"enabled": True}}} if scaler else {}
    manifests = chart.render(with_values({"workload": workload, **scaling}))
    [found] = of_kind(manifests, "Deployment", "StatefulSet")
    assert found["spec"].get("replicas") == (None if scaler else 2)
    for object_ in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        target = object_["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == (found["kind"], found["metadata"]["name"])


def test_static_members_have_names_of_their_own(chart: Chart) -> None:
    manifests = chart.render(with_values({"workload": "statefulset"}))
    name = environment(pods(manifests)[0])["CONSUMER_KAFKA__INSTANCE_ID"]
    assert name == "metadata.namespace.metadata.name"
    [workload] = of_kind(manifests, "StatefulSet")
    names = [each["metadata"]["name"] for each in of_kind(manifests, "Service")]
    assert workload["spec"]["serviceName"] in names
    assert workload["spec"]["podManagementPolicy"] == "Parallel"


def test_dynamic_members_have_no_names(chart: Chart) -> None:
    assert "CONSUMER_KAFKA__INSTANCE_ID" not in environment(pods(chart.render(REQUIRED))[0])


def test_image_by_digest_wins_over_a_tag(chart: Chart) -> None:
    digest = "sha256:" + "ab" * 32
    image = {"image": {"repository": "voice/consumer", "tag": "1.2", "digest": digest}}
    for pod in pods(chart.render(with_values(image))):
        assert own_container(pod)["image"] == f"voice/consumer@{digest}"


def test_admin_port_is_the_setting(chart: Chart) -> None:
    manifests = chart.render(config(ADMIN__LISTEN="[::]:9464"))
    [port] = own_container(pods(manifests)[0])["ports"]
    assert port["containerPort"] == 9464
    [service] = of_kind(manifests, "Service")
    assert service["spec"]["ports"][0]["targetPort"] == "admin"


def test_keda_looks_at_what_the_service_reads(chart: Chart) -> None:
    manifests = chart.render(example("keda"))
    [scaled] = of_kind(manifests, "ScaledObject")
    lag, sessions = scaled["spec"]["triggers"]
    assert lag["metadata"] == {
        "bootstrapServers": "kafka.example:9093",
        "consumerGroup": "detection-consumer",
        "topic": "call-audio",
        "lagThreshold": "1500000",
        "offsetResetPolicy": "earliest",
        "tls": "enable",
        "sasl": "scram_sha512",
    }
    assert sessions["metadata"]["threshold"] == "50"
    [login] = of_kind(manifests, "TriggerAuthentication")
    assert lag["authenticationRef"]["name"] == login["metadata"]["name"]
    [secret] = login["spec"]["secretTargetRef"]
    assert secret == {"parameter": "password", "name": "kafka-login", "key": "password"}
    [name] = login["spec"]["env"]
    assert name["name"] in environment(pods(manifests)[0])


def test_keda_asks_prometheus_for_a_metric_that_there_is(chart: Chart) -> None:
    [scaled] = of_kind(chart.render(example("keda")), "ScaledObject")
    query = scaled["spec"]["triggers"][1]["metadata"]["query"]
    labels = '{namespace="voice", pod=~"calls-detection-consumer-.+"}'
    assert query == f"sum(detection_consumer_sessions_live{labels})"
    assert "`detection_consumer_sessions_live`" in (ROOT / "docs" / "metrics.md").read_text()


def test_alerts_and_dashboards_are_those_of_the_files(chart: Chart) -> None:
    """Unchanged: what stands in braces is for Prometheus and Grafana to fill in."""
    manifests = chart.render(example("everything"))
    [rule] = of_kind(manifests, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    [found] = [
        each["data"]
        for each in of_kind(manifests, "ConfigMap")
        if each["metadata"]["name"].endswith("-dashboards")
    ]
    files = sorted((CHART / "files" / "dashboards").glob("*.json"))
    assert found == {f"detection-consumer-{path.name}": path.read_text() for path in files}
    assert files


def test_network_policy_lets_out_to_what_the_settings_name(chart: Chart) -> None:
    values = with_values({"networkPolicy": {"enabled": True}}, example("tls-sasl"))
    policy = one(chart, "NetworkPolicy", values)["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    ports = [{(p["protocol"], p["port"]) for p in rule["ports"]} for rule in policy["egress"]]
    assert ports == [
        {("UDP", 53), ("TCP", 53)},
        {("TCP", 9094), ("TCP", 9095)},
        {("TCP", 8443)},
    ]
    assert policy["ingress"] == [{"ports": [{"port": "admin", "protocol": "TCP"}]}]


def test_pod_monitor_asks_the_admin_port(chart: Chart) -> None:
    monitor = one(chart, "PodMonitor", with_values({"podMonitor": {"enabled": True}}))
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("admin", "/metrics")


def test_drains_take_one_pod_at_a_time_and_those_that_are_not_ready(chart: Chart) -> None:
    budget = one(chart, "PodDisruptionBudget", REQUIRED)["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_spread(chart: Chart) -> None:
    def keys(**values: Any) -> list[str]:
        spec = pods(chart.render(with_values(values)))[0]
        return [each["topologyKey"] for each in spec.get("topologySpreadConstraints", [])]

    assert keys() == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert keys(topologySpread={"zone": "off"}) == ["kubernetes.io/hostname"]
    assert keys(topologySpread={"zone": "off", "host": "off"}) == []
    own = {"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}
    assert keys(topologySpreadConstraints=[own]) == ["rack"]


def test_check_has_the_settings_and_secrets_of_the_service(chart: Chart) -> None:
    service, check = pods(chart.render(example("everything")))
    assert environment(service) == environment(check)
    assert service["volumes"] == check["volumes"]
    assert own_container(check)["args"] == ["check"]


def test_extra_objects_are_filled_in(chart: Chart) -> None:
    manifests = chart.render(example("everything"))
    names = {each["metadata"]["name"] for each in of_kind(manifests, "ConfigMap")}
    assert names >= {"calls-consumer-notes", "calls-more"}


def test_long_names_stay_legal(chart: Chart) -> None:
    long = {"fullnameOverride": "a" * 51 + "-" + "b" * 100, "workload": "statefulset"}
    for manifest in chart.render(with_values(long)):
        assert len(manifest["metadata"]["name"]) <= 63


WARNED: dict[str, tuple[Values, str]] = {
    "static and scaled": (
        {"workload": "statefulset", "autoscaling": {"keda": {"enabled": True}}},
        "static membership and a scaler",
    ),
    "static and impatient": ({"workload": "statefulset"}, "only if a pod is back within"),
    "drain": ({"config": {"CONSUMER_SHUTDOWN__MODE": "drain"}}, "SHUTDOWN__MODE is drain"),
    "plain API": ({"config": {"CONSUMER_API__TLS": False}}, "CONSUMER_API__TLS is false"),
    "plain Kafka": (
        {
            "config": {
                "CONSUMER_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "CONSUMER_KAFKA__SASL_USERNAME": "x",
            },
            "kafka": {"sasl": {"existingSecret": "x"}},
        },
        "audio can be read on the way from the brokers",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_notes_warn(chart: Chart, name: str) -> None:
    changes, text = WARNED[name]
    warnings = chart.notes(with_values(changes)).split("WARNING: ")[1:]
    assert any(text in warning for warning in warnings)


def test_notes_of_a_plain_release(chart: Chart) -> None:
    notes = chart.notes(REQUIRED)
    assert "helm test calls -n voice --logs" in notes
    assert "WARNING" not in notes
    without = chart.notes(with_values({"tests": {"enabled": False}}))
    assert "deployment/calls-detection-consumer -c consumer -- detection-consumer check" in without


def test_notes_tell_where_strimzi_puts_the_secret(chart: Chart) -> None:
    assert "copy it to voice" in chart.notes(example("everything"))
