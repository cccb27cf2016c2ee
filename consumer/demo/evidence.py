"""What the API received, by the sandbox's own audit, held against what it should have heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import aiohttp
import msgspec

from consumer.errors import ConsumerError


class AuditFailed(ConsumerError):
    """The sandbox's audit can't be read."""


class AuditedStream(msgspec.Struct, frozen=True):
    """One stream as the audit tells it; `stream` counts them in order of arrival."""

    stream: int
    pid: int
    bytes: int
    sha256: str
    status: str | None = None


class _Status(msgspec.Struct, frozen=True):
    scorer: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The sandbox's REST side. url: such as http://127.0.0.1:8081."""

    url: str

    async def scorer(self) -> str:
        """Who makes the verdicts. Raises AuditFailed."""
        return msgspec.json.decode(await self._get("/status"), type=_Status).scorer

    async def streams(self) -> Sequence[AuditedStream]:
        """All streams in order. Raises AuditFailed."""
        body = await self._get("/sandbox/audit")
        return sorted(
            msgspec.json.decode(body, type=list[AuditedStream]), key=lambda each: each.stream
        )

    async def audio(self, pid: int) -> bytes:
        """All audio of a stream. Raises AuditFailed."""
        return await self._get(f"/sandbox/audit/{pid}/audio")

    async def _get(self, path: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=20)
        try:
            async with (
                aiohttp.ClientSession(self.url, timeout=timeout) as session,
                session.get(path) as answer,
            ):
                answer.raise_for_status()
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AuditFailed(f"can't read {path} of the sandbox: {error}") from error


async def received(audit: Audit, pids: Sequence[int], expected: bytes) -> bool:
    """Whether the API heard a call byte for byte.

    pids: of the call's streams. A call without results has none that anybody knows; its stream is
    known by what it carried.
    """
    streams = await audit.streams()
    if not pids:
        wanted = sha256(expected).hexdigest()
        return any(stream.sha256 == wanted for stream in streams)
    ours = [stream.pid for stream in streams if stream.pid in set(pids)]
    return covers(expected, [await audit.audio(pid) for pid in ours])


def covers(expected: bytes, pieces: Sequence[bytes]) -> bool:
    """Whether the streams' audio, one after the other, is the call and nothing else.

    A stream that follows a broken one repeats what was not yet judged, so it may begin anywhere up
    to where the call had got, but may leave nothing out.
    """
    reached = 0
    for piece in pieces:
        start = expected.rfind(piece, 0, reached + len(piece))
        if start < 0:
            return False
        reached = max(reached, start + len(piece))
    return reached == len(expected)
