"""The sandbox over HTTP: the vendor's health and login, and the sandbox's own audit and faults.

    GET    /status                      health, the scorer's name, open streams
    GET    /v5/auth                     200 or 401 for X-Auth-Token and X-Auth-Client
    GET    /sandbox/audit               what every stream received
    GET    /sandbox/audit/{pid}/audio   the audio itself, raw 16-bit samples
    GET    /sandbox/faults              the rules in force
    POST   /sandbox/faults              {"fault": "unavailable-after=2;cid=7"}
    DELETE /sandbox/faults[/{number}]   take all rules back, or one

The vendor's endpoints for past results are not here: they need a store of results first.
"""

import json
import socket

from aiohttp import web

from consumer.sandbox.audit import Audit
from consumer.sandbox.errors import CannotListen, Misused, Refused
from consumer.sandbox.faults import Faults, parse_rule
from consumer.sandbox.options import Address
from consumer.sandbox.rules import Credentials


class Rest:
    """The handlers. scorer: the name to show."""

    def __init__(self, credentials: Credentials, audit: Audit, faults: Faults, scorer: str) -> None:
        self._credentials = credentials
        self._audit = audit
        self._faults = faults
        self._scorer = scorer

    def application(self) -> web.Application:
        """All routes."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/status", self._status),
                web.get("/v5/auth", self._login),
                web.get("/sandbox/audit", self._show_audit),
                web.get(r"/sandbox/audit/{pid:\d+}/audio", self._show_audio),
                web.get("/sandbox/faults", self._show_faults),
                web.post("/sandbox/faults", self._add_fault),
                web.delete("/sandbox/faults", self._clear_faults),
                web.delete(r"/sandbox/faults/{number:\d+}", self._remove_fault),
            ]
        )
        return application

    async def _status(self, _: web.Request) -> web.Response:
        streams = {"open": self._audit.accepted, "total": self._audit.total}
        return web.json_response({"status": "ok", "scorer": self._scorer, "streams": streams})

    async def _login(self, request: web.Request) -> web.Response:
        client = request.headers.get("X-Auth-Client", "")
        cid = int(client) if client.isascii() and client.isdigit() else 0
        try:
            self._credentials.admit(cid, request.headers.get("X-Auth-Token", ""))
        except Refused:
            return _error(401, "X-Auth-Client and X-Auth-Token are not valid together")
        return web.json_response({"cid": cid})

    async def _show_audit(self, _: web.Request) -> web.Response:
        return web.json_response([record.view() for record in self._audit.records()])

    async def _show_audio(self, request: web.Request) -> web.StreamResponse:
        path = self._audit.audio(int(request.match_info["pid"]))
        if path is None:
            return _error(404, "no audio of this stream; was the sandbox told to keep audio?")
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})

    async def _show_faults(self, _: web.Request) -> web.Response:
        rules = self._faults.rules.items()
        return web.json_response([{"number": number, "fault": rule.text} for number, rule in rules])

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
            rule = parse_rule(body["fault"])
        except Misused as error:
            return _error(400, str(error))
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
            return _error(400, 'the body must be JSON: {"fault": "<rule>"}')
        return web.json_response({"number": self._faults.add(rule), "fault": rule.text}, status=201)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _remove_fault(self, request: web.Request) -> web.Response:
        if self._faults.remove(int(request.match_info["number"])):
            return web.Response(status=204)
        return _error(404, "there is no such rule")


async def listen(rest: Rest, address: Address) -> tuple[web.AppRunner, int]:
    """Serve until the runner's `cleanup`; also returns the port. Raises CannotListen."""
    runner = web.AppRunner(rest.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except (OSError, socket.gaierror) as error:
        await runner.cleanup()
        raise CannotListen(f"can't listen on {address} for REST: {error}") from error
    return runner, int(runner.addresses[0][1])


def _error(status: int, message: str) -> web.Response:
    body = {"code": status, "message": message, "details": None}
    return web.json_response(body, status=status)
