"""A copy of the tree in which mutants are planted, one at a time."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("consumer", "tests", "schemas", "proto", "pyproject.toml")
_LIMIT_SECONDS = 150
_FAILED = 1
"""pytest's exit code when tests ran and some failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """code: pytest's. said: the end of what it wrote. seconds: how long it took."""

    code: int
    said: str
    seconds: float

    @property
    def passed(self) -> bool:
        """All tests passed."""
        return self.code == 0

    @property
    def noticed(self) -> bool:
        """Tests ran, and at least one failed."""
        return self.code == _FAILED


class Workshop:
    """place: where the copy lies."""

    def __init__(self, place: Path) -> None:
        self.place = place
        skip = shutil.ignore_patterns("__pycache__", "*.pyc")
        for part in _PARTS:
            source, target = ROOT / part, place / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=skip)
            else:
                shutil.copy(source, target)

    def plant(self, mutant: Mutant) -> Outcome:
        """Run the mutant's tests on the mutated copy, which is as before afterwards."""
        file = self.place / mutant.file
        before = file.read_text()
        file.write_text(mutant.applied(self.place))
        try:
            return self.run(mutant.tests)
        finally:
            file.write_text(before)

    def run(self, tests: Sequence[str]) -> Outcome:
        """Run these test files on the copy as it is.

        Found examples are not shrunk, and chance is the same every time.
        """
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
                   "--hypothesis-profile=quick", "--hypothesis-seed=0", *tests]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.place,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        return Outcome(done.returncode, done.stdout[-2000:], time.monotonic() - began)

    def imports_itself(self) -> bool:
        """Tests in the copy test the copy, not the tree it was made from."""
        command = [sys.executable, "-c", "import consumer; print(consumer.__file__)"]
        done = subprocess.run(command, cwd=self.place, capture_output=True, text=True, check=True)
        return Path(done.stdout.strip()).is_relative_to(self.place)
