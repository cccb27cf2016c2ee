"""Holding what the API received against what it should have heard."""

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from consumer.demo.evidence import Audit, AuditFailed, covers, received

CALL = bytes(range(200))


@pytest.mark.parametrize(
    ("pieces", "good"),
    [
        ([CALL], True),
        ([CALL[:100], CALL[100:]], True),
        ([CALL[:100], CALL[40:]], True),
        ([CALL[:100], CALL[:150], CALL[90:]], True),
        ([CALL[:100], b"", CALL[100:]], True),
        ([], False),
        ([CALL[:199]], False),
        ([CALL[1:]], False),
        ([CALL[:100], CALL[101:]], False),
        ([CALL + b"\0"], False),
        ([CALL[:100] + b"\0" + CALL[101:]], False),
        ([CALL[100:], CALL[:100]], False),
    ],
)
def test_streams_cover_a_call(pieces: Sequence[bytes], good: bool) -> None:
    """Streams may repeat what was not judged, and may leave out, add or change nothing."""
    assert covers(CALL, pieces) is good


@pytest_asyncio.fixture
async def audit() -> AsyncIterator[Audit]:
    """A sandbox that received CALL on streams 11 and 12, and something else on 13."""
    heard = {11: CALL[:120], 12: CALL[100:], 13: b"other"}

    async def listed(_: web.Request) -> web.Response:
        rows = [
            {"stream": n, "pid": pid, "bytes": len(b), "sha256": sha256(b).hexdigest(), "new": 1}
            for n, (pid, b) in enumerate(heard.items())
        ]
        return web.json_response(rows[::-1])

    async def audio(request: web.Request) -> web.Response:
        return web.Response(body=heard[int(request.match_info["pid"])])

    async def status(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "scorer": "dice"})

    app = web.Application()
    app.router.add_get("/status", status)
    app.router.add_get("/sandbox/audit", listed)
    app.router.add_get("/sandbox/audit/{pid}/audio", audio)
    async with TestServer(app) as server:
        yield Audit(str(server.make_url("")).rstrip("/"))


async def test_streams_are_put_in_order(audit: Audit) -> None:
    """The order of arrival counts, whatever the order of the list."""
    assert [each.pid for each in await audit.streams()] == [11, 12, 13]
    assert await audit.scorer() == "dice"


async def test_call_is_found_by_its_streams(audit: Audit) -> None:
    """The pids that results told lead to the audio."""
    assert await received(audit, [12, 11], CALL)
    assert not await received(audit, [11], CALL)
    assert not await received(audit, [13], CALL)


async def test_call_without_results_is_found_by_content(audit: Audit) -> None:
    """A silent call's stream is known by what it carried."""
    assert await received(audit, [], b"other")
    assert not await received(audit, [], CALL)


async def test_missing_audit_is_told(audit: Audit) -> None:
    """A sandbox that doesn't answer well is an error of ours."""
    with pytest.raises(AuditFailed, match="can't read /sandbox/audit/99/audio"):
        await audit.audio(99)
