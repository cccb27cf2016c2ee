"""Health over HTTP: is it alive, is it ready, and how does it stand.

Answers come from callables given at construction, so this room knows nothing of what it reports.
A watchdog that restarts on /live must not see outages of others there; what belongs where is
decided by who gives the callables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from consumer.errors import ConfigurationError

_JSON: Final = "application/json"
_GOODBYE_SECONDS: Final = 1.0
"""For answers under way when it stops."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """ok, or the reasons why not, each a sentence for people."""

    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminOptions:
    """host and port to listen on; port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 8080


class AdminServer:
    """Serves probes (200 or 503) and /status, all JSON, and /metrics.

    probes: by their paths. status: a mapping of plain values and dataclasses. metrics: takes what
    the Accept header says and gives a page and its content type.
    """

    def __init__(
        self,
        options: AdminOptions,
        probes: Mapping[str, Callable[[], Verdict]],
        status: Callable[[], Mapping[str, Any]],
        metrics: Callable[[str], tuple[bytes, str]],
    ) -> None:
        self._options = options
        self._probes = probes
        self._status = status
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on, 0 while it doesn't."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ConfigurationError when the address can't be used."""
        app = web.Application()
        for path, judge in self._probes.items():
            app.router.add_get(path, _probe(judge))
        app.router.add_get("/status", self._show_status)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        await self._runner.setup()
        host, port = self._options.host, self._options.port
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            text = f"can't listen on {host}:{port}: {error.strerror or error}"
            raise ConfigurationError(text) from error
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Answer what was asked and stop listening; harmless when it doesn't listen."""
        runner, self._runner, self._port = self._runner, None, 0
        if runner is not None:
            await runner.cleanup()

    async def _show_status(self, _: web.Request) -> web.Response:
        return _json(HTTPStatus.OK, self._status())

    async def _show_metrics(self, request: web.Request) -> web.Response:
        page, content_type = self._metrics(request.headers.get("Accept", ""))
        return web.Response(body=page, headers={"Content-Type": content_type})


def _probe(judge: Callable[[], Verdict]) -> Handler:
    async def show(_: web.Request) -> web.Response:
        verdict = judge()
        return _json(HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE, verdict)

    return show


def _json(status: HTTPStatus, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type=_JSON)
