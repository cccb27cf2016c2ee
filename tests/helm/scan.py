"""Has the Dockerfile and what every example renders scanned for what is unsafe: `make scan`.

What is skipped, and why, stands in skips.py and in the chart's README; anything else that is found
is a failure.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.helm.chart import CI_VALUES, Chart, Manifest, with_values
from tests.helm.generated import CHART
from tests.helm.install import helm
from tests.helm.skips import CHECKOV_SKIPS, TRIVY_SKIPS

_UNSAFE = {"securityContext": {"privileged": True, "readOnlyRootFilesystem": False}}
"""A scanner that does not see this sees nothing."""


def main(environment: Path) -> int:
    """Scan with the programs of an environment; 0 if nothing is found where nothing should be."""
    programs = environment.resolve() / "bin"
    with tempfile.TemporaryDirectory() as place:
        good, bad = Path(place) / "rendered", Path(place) / "unsafe"
        chart = Chart(helm())
        _write(good, {path.name: chart.example(path) for path in CI_VALUES})
        shutil.copy(CHART.parents[1] / "Dockerfile", good)
        _write(bad, {"unsafe.yaml": chart.render(with_values(_UNSAFE))})
        for command in _commands(programs):
            if _run([*command, str(bad)], show=False) == 0:
                sys.stderr.write(f"{command[0]} finds nothing where there is something to find\n")
                return 2
        return max(_run([*command, str(good)], show=True) for command in _commands(programs))


def _write(folder: Path, files: Mapping[str, list[Manifest]]) -> None:
    """One file for each set of manifests, without the containers that examples bring along."""
    folder.mkdir()
    for name, manifests in files.items():
        for manifest in manifests:
            pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
            pod.pop("initContainers", None)
            if "containers" in pod:
                pod["containers"] = [c for c in pod["containers"] if c["name"] == "consumer"]
        (folder / name).write_text(yaml.safe_dump_all(manifests))


def _commands(programs: Path) -> Sequence[Sequence[str]]:
    """Both scanners, to be told where to look."""
    quiet = ("--compact", "--quiet", "--skip-download", "--framework", "kubernetes")
    skips = ",".join(CHECKOV_SKIPS)
    checkov = [str(programs / "checkov"), *quiet, "--skip-check", skips, "--directory"]
    ignored = programs / "trivyignore"
    ignored.write_text("\n".join(TRIVY_SKIPS) + "\n")
    options = ("--skip-check-update", "--quiet", "--exit-code", "1", "--ignorefile", str(ignored))
    return (checkov, [str(programs / "trivy"), "config", *options])


def _run(command: Sequence[str], *, show: bool) -> int:
    return subprocess.run(command, capture_output=not show, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
