"""The Dockerfile is linted, and says what it must. Building it needs an engine; tests have none."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
LINES = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]


def test_linter_has_no_complaint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(hadolint), str(REPOSITORY / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_everything_that_is_installed_has_a_known_hash() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install ([^&\n]+)", "\n".join(LINES))
    assert len(installs) == 4
    own = [options for options in installs if "dist/*.whl" in options]
    assert [options.split() for options in own] == [["--no-deps", "--no-index", "dist/*.whl"]]
    for options in installs:
        assert options in own or "--require-hashes --only-binary :all: -r requirements/" in options


def test_the_wheel_is_built_by_what_the_project_asks_for() -> None:
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def test_every_stage_that_runs_is_a_numeric_user() -> None:
    """Kubernetes can't tell from a name that it isn't root."""
    users = [rest for word, rest in STEPS if word == "USER"]
    assert users == ["10001:10001"]
    stages = [rest.split(" AS ") for word, rest in STEPS if word == "FROM"]
    assert [name for base, name in stages if base == "base"] == ["sandbox", "service"]
    assert stages[-1][1] == "service", "what a build without a target makes"


def test_commands_need_no_shell() -> None:
    """A shell would not pass SIGTERM on."""
    for word, rest in STEPS:
        assert word not in ("ENTRYPOINT", "CMD") or rest.startswith('["')
    assert ["ENTRYPOINT", '["detection-consumer"]'] in STEPS


def test_base_can_be_pinned_by_digest() -> None:
    assert STEPS[0] == ["ARG", "PYTHON=python:3.11-slim"]
    bases = {rest.split(" AS ")[0] for word, rest in STEPS if word == "FROM"}
    assert bases == {"${PYTHON}", "build", "base"}


def test_version_is_that_of_the_package() -> None:
    assert ["ARG", f"VERSION={PROJECT['project']['version']}"] in STEPS


def test_only_what_is_copied_goes_to_the_builder() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source
        for word, rest in STEPS
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert "*" in ignore
    assert allowed == copied
    assert all((REPOSITORY / name).exists() for name in copied)


def test_image_has_the_versions_that_the_tests_run_with() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
        return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))

    assert versions("otlp").items() <= versions("dev").items()
    assert versions("service").items() <= versions("otlp").items()
