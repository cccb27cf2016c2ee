"""The chart, as Helm sees it: rendered, linted, refused."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.helm.generated import CHART

CI_VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick one, where PyYAML was built with it."""
RELEASE = "calls"
NAMESPACE = "voice"

Manifest = dict[str, Any]
Values = Mapping[str, Any]

REQUIRED: Values = {
    "config": {
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": "kafka.example:9092",
        "CONSUMER_API__TARGET": "api.example:443",
        "CONSUMER_API__CID": 7,
    },
    "api": {"existingSecret": "detection-api"},
}


class Refused(Exception):
    """Helm says no; the text says why."""


class Chart:
    """helm: the program."""

    def __init__(self, helm: Path) -> None:
        self._helm = helm
        self._examples: dict[Path, str] = {}

    def example(self, path: Path) -> list[Manifest]:
        """The manifests of a file of values, rendered once."""
        if path not in self._examples:
            self._examples[path] = self._template(read_values(path))
        return _manifests(self._examples[path])

    def render(self, values: Values, *options: str) -> list[Manifest]:
        """All manifests, those of tests too. Raises Refused."""
        return _manifests(self._template(values, *options))

    def notes(self, values: Values) -> str:
        """What a person reads after installing."""
        command = ("install", RELEASE, str(CHART), "-n", NAMESPACE, "--dry-run=client")
        return self._run(*command, values=values).partition("NOTES:\n")[2]

    def lint(self, values: Values) -> str:
        """What the linter says. Raises Refused for anything from a warning on."""
        return self._run("lint", "--strict", str(CHART), values=values)

    def _template(self, values: Values, *options: str) -> str:
        return self._run("template", RELEASE, str(CHART), "-n", NAMESPACE, *options, values=values)

    def _run(self, *command: str, values: Values) -> str:
        done = subprocess.run(
            [str(self._helm), *command, "--values", "-"],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(done.stderr + done.stdout)
        return done.stdout


def _manifests(text: str) -> list[Manifest]:
    return [manifest for manifest in yaml.load_all(text, _LOADER) if manifest]


def example(name: str) -> Values:
    """The values of ci/NAME-values.yaml."""
    return read_values(CHART / "ci" / f"{name}-values.yaml")


def read_values(path: Path) -> Values:
    """A file of values."""
    values: Values = yaml.safe_load(path.read_text())
    return values


def with_values(changes: Values, values: Values = REQUIRED) -> Manifest:
    """Values with others laid over them, as Helm does it."""
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(change, Mapping)
        merged[key] = with_values(change, old) if both and isinstance(old, Mapping) else change
    return merged


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Those of a kind."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def pods(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Specs of all pods: the service's, then that of the check."""
    found = [
        each["spec"]["template"]["spec"] for each in of_kind(manifests, "Deployment", "StatefulSet")
    ]
    return found + [each["spec"] for each in of_kind(manifests, "Pod")]


def own_container(pod: Manifest) -> Manifest:
    """The consumer's container, without those that values have added."""
    [container] = [each for each in pod["containers"] if each["name"] in ("consumer", "check")]
    return dict(container)


def environment(pod: Manifest) -> dict[str, str]:
    """Variables of the consumer's container as the process sees them, secrets by their place.

    Kubernetes turns "$$(" into "$(" and fills in what was defined before.
    """
    found: dict[str, str] = {}
    for entry in own_container(pod)["env"]:
        text = entry.get("value")
        if text is None:
            [text] = ["/".join(map(str, ref.values())) for ref in entry["valueFrom"].values()]
        else:
            text = text.replace("$$(", "\0")
            for name, value in found.items():
                text = text.replace(f"$({name})", value)
            text = text.replace("\0", "$(")
        assert entry["name"] not in found, "a variable that is set twice"
        found[entry["name"]] = text
    return found
