"""The life of one call to DeepfakeDetection: from its first message to its status.

Reads, checks, audits and analyses one message after the other. Faults act between receiving a
message and analysing it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc
from google.protobuf.message import DecodeError

from consumer.pb import api_pb2
from consumer.sandbox import wire
from consumer.sandbox.analysis import Analysis, Bench
from consumer.sandbox.audit import Audit
from consumer.sandbox.errors import Misused, Refused
from consumer.sandbox.faults import CUT, STOP_READING, Caller, Faults, Plan, Rule, parse_rule
from consumer.sandbox.outbox import Outbox
from consumer.sandbox.rules import Credentials, StreamConfig, read_audio, read_config
from consumer.sandbox.segments import SpeechPolicy
from consumer.sandbox.voice import Voice

FAULT_HEADER = "x-sandbox-fault"
SESSION_HEADER = "x-session-id"

_SETTLE = 0.02
"""Seconds to wait after a half-close: gRPC reports a cancelled call as the end of its messages
first, and as cancelled a moment later."""
_GONE = 5.0
"""Seconds within which a connection that was cut must have been missed."""

_log = logging.getLogger(__name__)


class Call(Protocol):
    """What a stream needs of its gRPC context."""

    def read(self) -> Awaitable[object]:
        """The next request, or grpc.aio.EOF."""
        ...

    def write(self, message: api_pb2.StreamResult) -> Awaitable[None]:
        """Send a response."""
        ...

    def peer(self) -> str:
        """Where the call comes from."""
        ...

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """The request headers."""
        ...

    def set_code(self, code: grpc.StatusCode) -> None:
        """The status that ends the call."""
        ...

    def set_details(self, details: str) -> None:
        """The text of that status."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """What all streams share."""

    credentials: Credentials
    speech: SpeechPolicy
    voice: Voice
    bench: Bench
    faults: Faults
    audit: Audit


class Stream:
    """One call; `run` serves it."""

    def __init__(self, call: Call, house: House) -> None:
        headers = {name: str(value) for name, value in call.invocation_metadata() or ()}
        self._call = call
        self._house = house
        self._record = house.audit.begin(call.peer(), headers.get(SESSION_HEADER))
        self._fault = headers.get(FAULT_HEADER)
        self._own: tuple[Rule, ...] = ()
        self._plan = Plan()
        self._planned = -1
        self._rate: int | None = None

    async def run(self) -> None:
        """Serve the call and set its status; raises CancelledError when the caller goes away."""
        record = self._record
        try:
            await self._serve()
            record.status = "OK"
        except Refused as refused:
            record.status, record.detail = refused.status, refused.detail
        except Exception as error:
            if _network_gone(error):
                record.status, record.detail = "CANCELLED", "a result could not be sent"
            else:
                _log.exception("stream %d failed", record.number)
                record.status, record.detail = "INTERNAL", repr(error)
        finally:
            record.status = record.status or "CANCELLED"
            self._house.audit.end(record)
        self._call.set_code(grpc.StatusCode[record.status])
        self._call.set_details(record.detail)

    async def _serve(self) -> None:
        config, credentials = await self._open()
        house, record = self._house, self._record
        outbox = Outbox(self._call.write, credentials.cid or 0, record.pid)
        analysis = Analysis(config, house.speech, house.voice, house.bench)
        refused, half_closed = None, False
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.deliver(), name=f"sandbox-outbox-{record.pid}")
            try:
                half_closed = await self._hear(credentials, analysis, outbox)
            except Refused as error:
                refused = error  # what was found before is delivered all the same
            await outbox.close(self._plan.delay)
        record.half_closed = half_closed
        if refused:
            raise refused

    async def _open(self) -> tuple[StreamConfig, Credentials]:
        message = await self._read()
        if message is None:
            raise Refused("INVALID_ARGUMENT", "the stream ended before its config")
        self._record.cid = message.cid
        credentials = self._house.credentials.admit(message.cid, message.x_auth_token)
        config = read_config(message)
        self._admit(config.sample_rate)
        self._house.audit.accept(self._record, config)
        return config, credentials

    def _admit(self, rate: int) -> None:
        self._rate = rate
        try:
            self._own = (parse_rule(self._fault),) if self._fault else ()
        except Misused as error:
            raise Refused("INVALID_ARGUMENT", f"header {FAULT_HEADER}: {error}") from error
        limit = self._look_up().max_streams
        if limit is not None and self._house.audit.accepted >= limit:
            raise Refused("RESOURCE_EXHAUSTED", f"fault on demand: max-streams={limit}")

    async def _hear(self, credentials: Credentials, analysis: Analysis, outbox: Outbox) -> bool:
        """Analyse all audio; True when the caller ended it, False when a fault did."""
        half_closed = False
        going = not await self._strike()
        while going:
            message = await self._read()
            if message is None:
                half_closed = True
                break
            credentials.admit(message.cid, message.x_auth_token)
            audio = read_audio(message)
            self._record.receive(audio)
            going = not await self._strike()
            if going:
                await self._send(await analysis.hear(audio), outbox)
        await self._send(await analysis.finish(), outbox)
        return half_closed

    async def _read(self) -> api_pb2.AudioStream | None:
        """The next message, None after the half-close."""
        message = await self._call.read()
        if isinstance(message, DecodeError):
            raise Refused("INVALID_ARGUMENT", "a message is not an AudioStream") from message
        if isinstance(message, api_pb2.AudioStream):
            return message
        await asyncio.sleep(_SETTLE)
        return None

    async def _send(self, results: list[api_pb2.InferenceResult], outbox: Outbox) -> None:
        await outbox.put(results, self._plan.delay)
        self._record.results += len(results)

    async def _strike(self) -> bool:
        """Let the fault happen whose time has come; True when the stream is to end with OK."""
        while moment := self._look_up().due(self._record.seconds):
            if moment.rule not in self._record.faults:
                self._record.faults.append(moment.rule)
            if moment.what == "OK":
                return True
            if moment.what == CUT:
                await self._cut()
            if moment.what != STOP_READING:
                raise Refused(moment.what, f"fault on demand: {moment.rule}")
            await self._house.faults.change()
        return False

    def _look_up(self) -> Plan:
        faults = self._house.faults
        if self._planned != faults.version:
            record = self._record
            caller = Caller(record.number, record.cid or 0, record.session, self._rate)
            self._plan, self._planned = faults.plan(caller, self._own), faults.version
        return self._plan

    async def _cut(self) -> None:
        if not wire.cut(self._call.peer()):
            raise Refused("INTERNAL", f"no connection to {self._call.peer()} to cut")
        await asyncio.sleep(_GONE)  # gRPC cancels this call when it misses its connection
        raise Refused("INTERNAL", "the connection was cut, but the call lives on")


def _network_gone(error: Exception) -> bool:
    """A write failed, which gRPC tells of before it cancels a call whose connection broke."""
    parts = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
    return all(isinstance(part, grpc.aio.InternalError) for part in parts)
