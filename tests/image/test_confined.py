"""The service does its work as user 10001 without capabilities, with nothing to write to but /tmp.

That is what the chart and compose.yaml ask of it. Only root can build such a place without a
container engine, so anybody else sees these tests skipped.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from consumer.demo.child import Child
from consumer.demo.port import HOST, free_port, healthy
from tests.e2e.calls import clip_call
from tests.e2e.process import Consumer, environment
from tests.e2e.stage import TOKEN, Stage

REPOSITORY = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("confine.sh")

_PROBE = """
for path in ("/new", "/etc/new", "/usr/new", "%s/new", "/tmp/new"):
    try:
        open(path, "w").close()
        print("written", path)
    except OSError:
        pass
print("user", __import__("os").getuid())
print(*[line for line in open("/proc/self/status") if line.startswith("CapEff")])
"""


def confined(root: Path, *folders: Path) -> Sequence[str]:
    """How a command begins that sees only these folders, the repository and the system's."""
    root.mkdir()
    seen = {REPOSITORY, Path(sys.base_prefix).resolve(), *folders}
    return ("unshare", "--mount", "sh", str(SCRIPT), str(root), *map(str, seen), "--")


@pytest.fixture(scope="module", autouse=True)
def allowed() -> None:
    """Skips where this machine does not let us."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv", "chroot"))):
        pytest.skip("only root can confine a process, with unshare, setpriv and chroot")
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mount namespaces are not allowed here: {done.stderr.decode()}")


def test_the_place_is_what_it_says(tmp_path: Path) -> None:
    """Otherwise the other test would show nothing."""
    command = (*confined(tmp_path / "root"), sys.executable, "-c", _PROBE % REPOSITORY)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.split("\n")
    assert [line for line in lines if line.startswith("written")] == ["written /tmp/new"]
    assert "user 10001" in lines
    assert "CapEff:\t0000000000000000" in done.stdout


@pytest.mark.e2e
@pytest.mark.broker
async def test_a_call_is_judged_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """From audio to results and a clean stop, exactly as outside."""
    (tmp_path / "stage").mkdir()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "token").write_text(TOKEN)
    async with Stage(tmp_path / "stage") as stage:
        await stage.start_sandbox()
        consumer = await _start(stage, tmp_path / "root", secrets)
        try:
            await stage.feeder.play([clip_call("call", "synthetic_pauses")], end=True)
            await stage.over()
            assert await stage.complaints() == []
            assert _written(consumer) == []
            assert await consumer.stop() == 0
        finally:
            await consumer.child.stop()


async def _start(stage: Stage, root: Path, secrets: Path) -> Consumer:
    admin = free_port()
    changes = {"ADMIN__LISTEN": f"{HOST}:{admin}", "API__TOKEN_FILE": secrets / "token"}
    child = Child(
        "confined consumer",
        (*confined(root, secrets), sys.executable, "-m", "consumer", "run"),
        stage.folder / "confined.log",
        {**environment(), **stage.settings(changes), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    await child.start()
    await child.until(healthy(admin, "/live"), 40.0)
    return Consumer(child, admin)


def _written(consumer: Consumer) -> list[str]:
    """Files in its /tmp; what was put there to be read lies on another device."""
    inside = Path(f"/proc/{consumer.pid}/root/tmp")
    device = inside.stat().st_dev
    found: list[str] = []
    for folder, below, files in os.walk(inside):
        here = Path(folder)
        below[:] = [name for name in below if (here / name).lstat().st_dev == device]
        found += [str((here / name).relative_to(inside)) for name in files]
    return found
