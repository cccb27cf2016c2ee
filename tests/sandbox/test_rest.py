"""The sandbox over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from consumer.sandbox.options import SandboxOptions
from consumer.sandbox.rules import Credentials
from consumer.sandbox.server import Sandbox, running
from tests.sandbox import sounds
from tests.sandbox.caller import CID, TOKEN, Caller, config, connected, cut


@pytest.fixture
async def web(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the sandbox's REST side."""
    async with aiohttp.ClientSession(f"http://{sandbox.rest}") as session:
        yield session


async def test_status_names_the_scorer(web: aiohttp.ClientSession, caller: Caller) -> None:
    """Health says how many streams there are, and that verdicts are scripted."""
    await caller.send(config())
    async with web.get("/status") as answer:
        status = await answer.json()
    assert (status["status"], status["streams"]) == ("ok", {"open": 0, "total": 1})
    assert "scripted" in status["scorer"]
    assert "not a detector" in status["scorer"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-Auth-Client": str(CID), "X-Auth-Token": TOKEN}, 200),
        ({"X-Auth-Client": str(CID), "X-Auth-Token": "no"}, 401),
        ({"X-Auth-Client": "8", "X-Auth-Token": TOKEN}, 401),
        ({"X-Auth-Client": "me", "X-Auth-Token": TOKEN}, 401),
        ({"X-Auth-Token": TOKEN}, 401),
        ({}, 401),
    ],
)
async def test_login(web: aiohttp.ClientSession, headers: dict[str, str], code: int) -> None:
    """The vendor's login accepts the one pair of headers, and answers JSON either way."""
    async with web.get("/v5/auth", headers=headers) as answer:
        assert answer.status == code
        body = await answer.json()
    assert code == 200 or (body["code"], body["details"]) == (401, None)


async def test_audit_is_shown(web: aiohttp.ClientSession, caller: Caller) -> None:
    """Streams appear with their number, config and end."""
    await caller.send(config(8_000, level="segment"), *cut(sounds.speech(8_000, 1)))
    await caller.send(config(0))
    async with web.get("/sandbox/audit") as answer:
        good, bad = await answer.json()
    assert good["config"] == {
        "encoding": "LINEAR_PCM",
        "sample_rate_hertz": 8_000,
        "level": "segment",
        "logits": False,
        "feature_embedding": False,
    }
    assert (good["stream"], good["bytes"], good["status"]) == (0, 16_000, "OK")
    assert (bad["stream"], bad["config"], bad["status"]) == (1, None, "INVALID_ARGUMENT")


async def test_audio_is_served_when_kept(tmp_path: Path) -> None:
    """The audio of a stream comes back byte for byte; of others there is none."""
    options = SandboxOptions(audit_audio=tmp_path / "audio", credentials=Credentials(CID, TOKEN))
    pcm = sounds.speech(16_000, 2)
    async with running(options) as sandbox, connected(sandbox.grpc) as caller:
        await caller.send(config(), *cut(pcm))
        [record] = sandbox.audit.records()
        async with aiohttp.ClientSession(f"http://{sandbox.rest}/sandbox/audit/") as web:
            async with web.get(f"{record.pid}/audio") as answer:
                assert (answer.status, await answer.read()) == (200, pcm)
            async with web.get(f"{record.pid + 1}/audio") as answer:
                assert answer.status == 404


async def test_audio_is_not_kept_by_default(
    web: aiohttp.ClientSession, caller: Caller, sandbox: Sandbox
) -> None:
    """Without a folder there is no audio to serve."""
    await caller.send(config(), *cut(sounds.speech(16_000, 1)))
    [record] = sandbox.audit.records()
    async with web.get(f"/sandbox/audit/{record.pid}/audio") as answer:
        assert answer.status == 404
        assert "told to keep audio" in (await answer.json())["message"]


async def test_faults_come_and_go(web: aiohttp.ClientSession, caller: Caller) -> None:
    """Faults can be switched on, listed and switched off at run time, alone or all."""
    for rule in ("unauthenticated-after=0", "cut-after=99"):
        async with web.post("/sandbox/faults", json={"fault": rule}) as answer:
            assert answer.status == 201
    async with web.get("/sandbox/faults") as answer:
        assert await answer.json() == [
            {"number": 0, "fault": "unauthenticated-after=0"},
            {"number": 1, "fault": "cut-after=99"},
        ]
    assert (await caller.send(config())).status == "UNAUTHENTICATED"
    async with web.delete("/sandbox/faults/0") as answer:
        assert answer.status == 204
    assert (await caller.send(config())).status == "OK"
    async with web.delete("/sandbox/faults/0") as answer:
        assert answer.status == 404
    async with web.delete("/sandbox/faults") as answer:
        assert answer.status == 204
    async with web.get("/sandbox/faults") as answer:
        assert await answer.json() == []


@pytest.mark.parametrize(
    "body", [b"", b"cut", b"[]", b"7", b'{"fault": 7}', b"{}", b'{"fault": "x=1"}', b"\xff"]
)
async def test_bad_faults_are_told(web: aiohttp.ClientSession, body: bytes) -> None:
    """A body that holds no rule is a bad request with a reason, and changes nothing."""
    async with web.post("/sandbox/faults", data=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["message"]
    async with web.get("/sandbox/faults") as answer:
        assert await answer.json() == []
