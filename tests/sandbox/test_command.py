"""The command `sandbox` as a process: how it starts, what it refuses, how it ends."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.sandbox import sounds
from tests.sandbox.caller import CID, TOKEN, config, connected, cut, finish

pytestmark = pytest.mark.e2e

COMMAND = (sys.executable, "-m", "consumer", "sandbox", "--listen", "127.0.0.1:0")


@asynccontextmanager
async def started(*flags: str) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    """A process that serves, and what it said: "gRPC", "REST" and "scorer"."""
    process = await asyncio.create_subprocess_exec(*COMMAND, *flags, stdout=PIPE, stderr=PIPE)
    assert process.stdout
    said: dict[str, str] = {}
    try:
        async with asyncio.timeout(60):
            while "gRPC" not in said:
                line = (await process.stdout.readline()).decode()
                assert line, (await process.communicate())[1].decode()
                what, _, value = line.removeprefix("sandbox: ").partition(" ")
                said[what] = value.removeprefix("on ").strip()
        yield process, said
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def failed(*flags: str) -> tuple[int | None, str]:
    """Exit code and output of a process that doesn't start."""
    process = await asyncio.create_subprocess_exec(*COMMAND, *flags, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    return process.returncode, (output + errors).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serves_until_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It serves both listeners, keeps evidence, lets a stream end, and exits with 0."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    flags = {
        "--rest-listen": "127.0.0.1:0",
        "--cid": str(CID),
        "--token-file": str(tmp_path / "token"),
        "--audit": str(tmp_path / "audit.jsonl"),
        "--audit-audio": str(tmp_path / "audio"),
        "--grace": "30",
    }
    pcm = sounds.speech(16_000, 3)
    async with started(*(word for flag in flags.items() for word in flag)) as (process, said):
        assert "scripted" in said["scorer"]
        async with aiohttp.request("GET", f"http://{said['REST']}/status") as answer:
            assert answer.status == 200
        async with connected(said["gRPC"]) as caller:
            call = caller.open()
            for message in (config(), *cut(pcm)):
                await call.write(message)
            await call.read()
            process.send_signal(number)
            await call.done_writing()
            assert (await finish(call)).status == "OK"
        async with asyncio.timeout(30):
            assert await process.wait() == 0
        assert process.stderr
        assert await process.stderr.read() == b""
    [_, line] = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert (line["status"], line["bytes"]) == ("OK", len(pcm))
    assert (tmp_path / "audio" / f"{line['pid']}.pcm").read_bytes() == pcm


async def test_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """SANDBOX_TOKEN is the only token it takes then; `off` leaves REST out; faults are taken."""
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)
    fault = ("--fault", "aborted-after=0;stream=1", "--scorer", "scripted:spoofed")
    async with started("--rest-listen", "off", *fault) as (_, said):
        assert "REST" not in said
        async with connected(said["gRPC"]) as caller:
            good = await caller.send(config(), *cut(sounds.speech()))
            assert {result.final_label for result in good.results} == {"spoofed"}
            assert (await caller.send(config())).status == "ABORTED"
            stranger = config()
            stranger.x_auth_token = "other"
            assert (await caller.send(stranger)).status == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--rest-listen", "nowhere"], "--rest-listen 'nowhere' is not HOST:PORT"),
        (["--fault", "explode=1"], "'explode' is not known"),
        (["--scorer", "psychic"], "scorer 'psychic' is neither"),
        (["--token", TOKEN, "--token-file", "x"], "--token or --token-file, not both"),
        (["--token-file", "no/such/file"], "--token-file can't be read"),
        (["--token", ""], "the token is empty"),
        (["--audit", "no/such/folder/file"], "the audit can't be written"),
        (["--cid", "0"], "--cid"),
    ],
)
async def test_mistakes_are_told(flags: list[str], text: str) -> None:
    """A wrong flag gives its reason and exit code 2, no traceback and no token."""
    code, output = await failed(*flags)
    assert code == 2
    assert text in output
    assert "Traceback" not in output
    assert TOKEN not in output


async def test_taken_port_is_told() -> None:
    """A second sandbox on the same port says so in one line."""
    async with started("--rest-listen", "127.0.0.1:0") as (_, said):
        code, output = await failed("--listen", said["gRPC"], "--rest-listen", "off")
        assert code == 2
        assert f"can't listen on {said['gRPC']} for gRPC" in output
        assert len(output.splitlines()) == 1
