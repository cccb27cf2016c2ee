"""For any settings chart and service agree; for any main values the manifests hold together."""

from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ByteSize, TypeAdapter

from consumer.errors import ConfigurationError
from consumer.settings.field import SettingField, settings_of
from consumer.settings.settings import Settings
from tests.helm.chart import (
    REQUIRED,
    Chart,
    Manifest,
    Refused,
    Values,
    environment,
    of_kind,
    pods,
    with_values,
)
from tests.helm.conftest import Start
from tests.helm.custom_resources import check_custom_resource

few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_OWN_WORDS = ("_FILE", "_PASSWORD", "__TOKEN", "INSTANCE_ID", "ADMIN__ENABLED", "SASL_USERNAME")
"""Settings that the chart makes out of other values or won't have changed."""
_ADDRESSES = ("target", "listen", "bootstrap_servers")
_TOKEN = {"CONSUMER_API__TOKEN": "x"}
_ONLY_THE_SERVICE_KNOWS = ("_LOW_BYTES",)
"""A rule between sizes with units, which templates can't compare."""

FREE = [
    field
    for field in settings_of(Settings)
    if not field.variable.endswith(_OWN_WORDS) and field.path[-1] not in _ADDRESSES
]
_TEXT = st.text("abc.-_ $(){}%\"'\\#:é", min_size=1, max_size=8).filter(lambda text: text.strip())
_TOPIC = st.text("abc.-_7", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))


def values_of(field: SettingField) -> st.SearchStrategy[Any]:
    """What may be written for a setting, near the limits that other settings set."""
    if get_origin(field.type) is Literal:
        return st.sampled_from(get_args(field.type))
    if issubclass(field.type, Enum):
        return st.sampled_from([member.value for member in field.type])
    if field.type is bool:
        return st.booleans()
    if field.type is ByteSize:
        return st.integers(65536, 1 << 40) | st.sampled_from(["64KiB", "8MiB", "1 GB"])
    if field.type is int:
        return st.just(3) if "factor" in field.path[-1] else st.integers(1, 60) | st.just(10**6)
    if field.type is float:
        share = "share" in field.path[-1] or field.path[-1] == "jitter"
        return st.floats(0.25, 0.9) if share else st.floats(1, 60) | st.integers(10, 60)
    return _TOPIC if field.path[-1].endswith("_topic") else _TEXT


_SETTINGS = st.lists(st.sampled_from(FREE), max_size=5, unique_by=lambda field: field.variable)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Some settings."""
    return {field.variable: draw(values_of(field)) for field in draw(_SETTINGS)}


@few
@given(configs())
@example({"CONSUMER_KAFKA__CLIENT_ID": "$(HOME) $$(x) $"})
@example({"CONSUMER_FLOW__UNSETTLED_RECORDS": 1_000_000, "CONSUMER_MESSAGE__LINGER_SECONDS": 1e-7})
@example({"CONSUMER_KAFKA__HEARTBEAT_SECONDS": 20 / 3})
def test_chart_and_service_agree_on_settings(
    chart: Chart, start: Start, config: dict[str, Any]
) -> None:
    """What the chart lets through starts and arrives unchanged; what it refuses would not start."""
    whole = {**REQUIRED["config"], **config}
    told = _told(start, {**{name: _plain(value) for name, value in whole.items()}, **_TOKEN})
    try:
        manifests = chart.render(with_values({"config": config}))
    except Refused:
        assert told
        return
    assert all(variable.endswith(_ONLY_THE_SERVICE_KNOWS) for variable in told)
    if not told:
        started = start(environment(pods(manifests)[0]))
        for field in FREE:
            if field.variable in config:
                assert _in_force(started, field) == _meant(field, config[field.variable])


def _told(start: Start, variables: dict[str, str]) -> list[str]:
    """The variables that the service complains of."""
    try:
        start(variables)
    except ConfigurationError as error:
        return [line.split(":")[0] for line in str(error).splitlines()]
    return []


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_force(started: Settings, field: SettingField) -> Any:
    value: Any = started
    for name in field.path:
        value = getattr(value, name)
    return value


def _meant(field: SettingField, value: Any) -> Any:
    kind = ByteSize if field.type is ByteSize else Any
    return TypeAdapter[Any](kind).validate_python(value)


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["n", "yes", "null", "123", "1e3", "0x1f", "true"]
)
"""Names that YAML takes for something else are names all the same."""
MAIN: st.SearchStrategy[Values] = st.fixed_dictionaries(
    {},
    optional={
        "workload": st.sampled_from(["deployment", "statefulset"]),
        "replicas": st.integers(0, 100),
        "nameOverride": NAMES,
        "fullnameOverride": NAMES,
        "terminationGracePeriodSeconds": st.none() | st.integers(20, 40),
        "podLabels": st.dictionaries(NAMES, NAMES, max_size=2),
        "commonLabels": st.dictionaries(NAMES, NAMES, max_size=2),
        "service": st.fixed_dictionaries({"enabled": st.booleans()}),
        "podDisruptionBudget": st.fixed_dictionaries({"enabled": st.booleans()}),
        "networkPolicy": st.fixed_dictionaries({"enabled": st.booleans()}),
        "podMonitor": st.fixed_dictionaries({"enabled": st.booleans()}),
        "serviceAccount": st.fixed_dictionaries({"create": st.booleans()}),
        "tests": st.fixed_dictionaries({"enabled": st.booleans()}),
        "autoscaling": st.fixed_dictionaries(
            {
                "minReplicas": st.integers(1, 12),
                "hpa": st.fixed_dictionaries({"enabled": st.booleans()}),
                "keda": st.fixed_dictionaries({"enabled": st.booleans()}),
            }
        ),
        "strimzi": st.fixed_dictionaries(
            {
                "cluster": NAMES | st.just(""),
                "topics": st.fixed_dictionaries({"enabled": st.booleans()}),
            }
        ),
        "config": st.fixed_dictionaries(
            {},
            optional={
                "CONSUMER_SHUTDOWN__TIMEOUT_SECONDS": st.floats(1, 30),
                "CONSUMER_DELIVERY": st.sampled_from(["at_least_once", "exactly_once"]),
            },
        ),
    },
)


@few
@given(MAIN)
@example({"nameOverride": "n", "fullnameOverride": "123", "workload": "statefulset"})
def test_manifests_hold_together(chart: Chart, changes: Values) -> None:
    values = with_values(changes)
    if _reasons(values):
        with pytest.raises(Refused):
            chart.render(values)
        return
    manifests = chart.render(values)
    [workload] = of_kind(manifests, "Deployment", "StatefulSet")
    _check_workload(workload, values)
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for service in of_kind(manifests, "Service"):
        assert service["spec"]["selector"].items() <= labels.items()
    for manifest in manifests:
        check_custom_resource(manifest)
        assert isinstance(manifest["metadata"]["name"], str)
        assert isinstance(manifest["metadata"]["namespace"], str)
    account = workload["spec"]["template"]["spec"]["serviceAccountName"]
    made = [each["metadata"]["name"] for each in of_kind(manifests, "ServiceAccount")]
    assert made == ([account] if account != "default" else [])


def _reasons(values: Values) -> list[str]:
    """Why these should be refused."""
    scaling, strimzi = values.get("autoscaling", {}), values.get("strimzi", {})
    shutdown = values["config"].get("CONSUMER_SHUTDOWN__TIMEOUT_SECONDS", 20)
    grace = values.get("terminationGracePeriodSeconds")
    found = {
        "two scalers": scaling and scaling["hpa"]["enabled"] and scaling["keda"]["enabled"],
        "more than the most": scaling and scaling["minReplicas"] > 10,
        "no cluster": strimzi and strimzi["topics"]["enabled"] and not strimzi["cluster"],
        "killed too soon": grace is not None and grace < -(-shutdown // 1) + 5,
    }
    return [name for name, wrong in found.items() if wrong]


def _check_workload(workload: Manifest, values: Values) -> None:
    scaling = values.get("autoscaling")
    scaled = scaling and (scaling["hpa"]["enabled"] or scaling["keda"]["enabled"])
    assert workload["spec"].get("replicas") == (None if scaled else values.get("replicas", 2))
    pod = workload["spec"]["template"]["spec"]
    shutdown = values["config"].get("CONSUMER_SHUTDOWN__TIMEOUT_SECONDS", 20)
    assert pod["terminationGracePeriodSeconds"] >= shutdown + 5
    [tmp] = [each for each in pod["volumes"] if "emptyDir" in each]
    assert tmp["name"] == "tmp"
    assert Path("/tmp") in [Path(m["mountPath"]) for m in pod["containers"][0]["volumeMounts"]]
