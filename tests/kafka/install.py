"""Apache Kafka's libraries on this machine: fetched once by Maven, kept between runs, outside git.

What is fetched is said in pom.xml beside this file; where it is fetched from is Maven's business.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "kafka"
POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17

_INSTALL_SECONDS = 600
_STAMP = "complete"


class KafkaMissing(Exception):
    """There is no Apache Kafka to be had on this machine; the text says what is missing."""


def libraries() -> Path:
    """The folder with Kafka's jar files, filled on the first call. Many may call at once.

    Raises KafkaMissing.
    """
    java()
    home = CACHE / _pom_name()
    if not (home / _STAMP).is_file():
        with _alone():
            if not (home / _STAMP).is_file():
                _install(home)
    return home / "libs"


def java() -> str:
    """The Java that runs Kafka: JAVA_HOME's if set, else the one on PATH. Raises KafkaMissing."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        raise KafkaMissing(f"Java {OLDEST_JAVA} or newer is needed, and there is none")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KafkaMissing(f"Java {OLDEST_JAVA} or newer is needed; {found} says: {told.strip()}")
    return found


def _pom_name() -> str:
    """The version asked for, and a mark that changes with anything in the pom."""
    text = POM.read_text(encoding="utf-8")
    version = re.search(r"<kafka\.version>(.+)</kafka\.version>", text)
    assert version is not None, "pom.xml names no version of Kafka"
    return f"{version[1]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time; the others wait for it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(home: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing("Maven is needed to fetch Apache Kafka, and there is none")
    shutil.rmtree(home, ignore_errors=True)
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime")
    command = [maven, "-q", "-B", "-f", str(POM), *goal, f"-DoutputDirectory={home / 'libs'}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaMissing(f"Maven is not done after {_INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        told = (done.stdout + done.stderr)[-2000:]
        raise KafkaMissing(f"Maven could not fetch Apache Kafka: {told}")
    (home / _STAMP).touch()
