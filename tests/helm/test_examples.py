"""Every ci/*-values.yaml makes manifests that Kubernetes takes and that are safe."""

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from consumer.settings.field import settings_of
from consumer.settings.settings import Settings
from tests.helm.chart import (
    CI_VALUES,
    Chart,
    Manifest,
    environment,
    of_kind,
    own_container,
    pods,
    read_values,
)
from tests.helm.conftest import Start
from tests.helm.custom_resources import check_custom_resource
from tests.helm.generated import CHART

KUBERNETES = ("1.27", "1.37")
"""The oldest that the chart allows, and the newest whose schemas we have."""

examples = pytest.mark.parametrize(
    "path", CI_VALUES, ids=lambda path: path.name.removesuffix("-values.yaml")
)


def test_there_are_examples_of_all_kinds() -> None:
    names = {path.name.removesuffix("-values.yaml") for path in CI_VALUES}
    wanted = "minimal exactly-once statefulset keda hpa strimzi tls-sasl everything"
    assert names >= set(wanted.split())


@examples
def test_linter_has_no_complaint(chart: Chart, path: Path) -> None:
    assert "0 chart(s) failed" in chart.lint(read_values(path))


@examples
def test_manifests_are_valid(chart: Chart, path: Path) -> None:
    for manifest in chart.example(path):
        if not check_custom_resource(manifest):
            for version in KUBERNETES:
                kubernetes_validate.validate(manifest, version, strict=True)


@examples
def test_nothing_is_there_twice(chart: Chart, path: Path) -> None:
    names = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in chart.example(path)
    ]
    assert len(names) == len(set(names))


@examples
def test_pods_are_hardened(chart: Chart, path: Path) -> None:
    found = pods(chart.example(path))
    assert len(found) == 2, "the service's and the check's"
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        container = own_container(pod)
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
        assert writable == ["/tmp"]
        assert {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}} in pod["volumes"]
        assert container["resources"]["limits"]["memory"]


@examples
def test_every_variable_is_a_setting(chart: Chart, path: Path, start: Start) -> None:
    """And the service starts with all of them as they are."""
    known = {field.variable for field in settings_of(Settings)}
    for pod in pods(chart.example(path)):
        found = environment(pod)
        ours = {name for name in found if name.startswith("CONSUMER_")}
        assert ours <= known
        start({name: found[name] for name in ours})


@examples
def test_no_secret_is_written_down(chart: Chart, path: Path) -> None:
    """Variables that are secrets come by reference, and the chart makes no Secret."""
    secret = {field.variable for field in settings_of(Settings) if field.secret}
    manifests = chart.example(path)
    assert not of_kind(manifests, "Secret")
    for pod in pods(manifests):
        for entry in own_container(pod)["env"]:
            assert entry["name"] not in secret or "secretKeyRef" in entry["valueFrom"]


@examples
def test_credentials_are_mounted_where_settings_look(chart: Chart, path: Path) -> None:
    for pod in pods(chart.example(path)):
        mounts = own_container(pod)["volumeMounts"]
        [place] = [m["mountPath"] for m in mounts if m["name"] == "credentials"]
        assert not any("subPath" in mount for mount in mounts), "such a file is never renewed"
        [volume] = [v["projected"] for v in pod["volumes"] if v["name"] == "credentials"]
        assert volume["defaultMode"] == 0o440
        files = [
            f"{place}/{item['path']}"
            for source in volume["sources"]
            for item in next(iter(source.values()))["items"]
        ]
        found = environment(pod)
        assert sorted(files) == sorted(v for k, v in found.items() if k.endswith("_FILE"))


@examples
def test_probes_ask_paths_that_exist(chart: Chart, path: Path) -> None:
    service = (CHART.parents[1] / "consumer" / "app" / "service.py").read_text()
    routes = set(re.findall(r'"(/\w+)": self', service))
    container = own_container(pods(chart.example(path))[0])
    [port] = container["ports"]
    assert port["name"] == "admin"
    for kind, asked in (("startup", "/startup"), ("liveness", "/live"), ("readiness", "/ready")):
        assert container[f"{kind}Probe"]["httpGet"] == {"path": asked, "port": "admin"}
        assert asked in routes
    assert container["args"] == ["run"]


@examples
def test_selectors_find_the_service_and_not_the_check(chart: Chart, path: Path) -> None:
    manifests = chart.example(path)
    [workload] = of_kind(manifests, "Deployment", "StatefulSet")
    labels = workload["spec"]["template"]["metadata"]["labels"]
    [check] = [m["metadata"]["labels"] for m in of_kind(manifests, "Pod")]
    for selector in _selectors(manifests):
        assert selector.items() <= labels.items()
        assert not selector.items() <= check.items()


def _selectors(manifests: list[Manifest]) -> list[dict[str, str]]:
    found = [m["spec"]["selector"] for m in of_kind(manifests, "Service")]
    for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget", "PodMonitor"):
        found += [m["spec"]["selector"]["matchLabels"] for m in of_kind(manifests, kind)]
    found += [m["spec"]["podSelector"]["matchLabels"] for m in of_kind(manifests, "NetworkPolicy")]
    return found


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (CHART.parents[1] / "pyproject.toml").read_text()
    assert f'\nversion = "{chart["appVersion"]}"\n' in project
