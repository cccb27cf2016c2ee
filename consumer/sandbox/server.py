"""The sandbox as a whole: a gRPC server for the vendor's service, with REST beside it.

`running` is for tests and other programs, `serve` for the command line. The server speaks the wire
contract by generic handlers, so no generated stub is needed.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError

from consumer.pb import api_pb2
from consumer.sandbox import rest
from consumer.sandbox.analysis import Bench
from consumer.sandbox.audit import Audit
from consumer.sandbox.errors import CannotListen
from consumer.sandbox.faults import Faults
from consumer.sandbox.options import Address, SandboxOptions
from consumer.sandbox.scorer import load_scorer
from consumer.sandbox.silero import Model
from consumer.sandbox.stream import Call, House, Stream
from consumer.sandbox.voice import Voice

SERVICE = "behavioral_api.grpc.v1.BehavioralStreamingApi"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that runs. grpc, rest: where it listens; rest is None when it was not asked for."""

    grpc: Address
    rest: Address | None
    scorer: str
    audit: Audit
    faults: Faults


@asynccontextmanager
async def running(options: SandboxOptions) -> AsyncIterator[Sandbox]:
    """Run a sandbox inside the `async with` block; on leaving, streams get the grace to end.

    Raises Misused (CannotListen for a port) when the options can't work.
    """
    scorer = load_scorer(options.scorer)
    faults = Faults(options.fault_seed)
    for rule in options.faults:
        faults.add(rule)
    async with AsyncExitStack() as stack:
        audit = Audit(scorer.name, options.audit, options.audit_audio, options.first_pid)
        stack.callback(audit.close)
        thread = stack.enter_context(ThreadPoolExecutor(1, "sandbox"))
        voice = Voice(Model(), thread)
        await stack.enter_async_context(_task(voice))
        bench = Bench(scorer, thread)
        house = House(options.credentials, options.speech, voice, bench, faults, audit)
        server = _server(house, options.receive_limit)
        address = options.listen._replace(port=_bind(server, options.listen))
        await server.start()
        stack.push_async_callback(server.stop, options.grace)
        site = None
        if options.rest_listen:
            handlers = rest.Rest(options.credentials, audit, faults, scorer.name)
            runner, port = await rest.listen(handlers, options.rest_listen)
            stack.push_async_callback(runner.cleanup)
            site = options.rest_listen._replace(port=port)
        yield Sandbox(address, site, scorer.name, audit, faults)


async def serve(
    options: SandboxOptions, ready: Callable[[Sandbox], None], stop: asyncio.Event
) -> None:
    """Run until `stop` is set; `ready` is called when all listeners accept. Raises Misused."""
    async with running(options) as sandbox:
        ready(sandbox)
        await stop.wait()


@asynccontextmanager
async def _task(voice: Voice) -> AsyncIterator[None]:
    worker = asyncio.create_task(voice.work(), name="sandbox-voice")
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


def _server(house: House, receive_limit: int) -> grpc.aio.Server:
    async def detect(_: object, call: Call) -> None:
        await Stream(call, house).run()

    async def stream_audio(_: object, call: Call) -> None:
        call.set_code(grpc.StatusCode.UNIMPLEMENTED)
        call.set_details("the sandbox serves DeepfakeDetection only")

    methods = {
        name: grpc.stream_stream_rpc_method_handler(
            handler, _decode, api_pb2.StreamResult.SerializeToString
        )
        for name, handler in (("DeepfakeDetection", detect), ("StreamAudio", stream_audio))
    }
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", receive_limit),
            ("grpc.so_reuseport", 0),  # a second sandbox on the same port must not go unnoticed
        ]
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    return server


def _decode(message: bytes) -> api_pb2.AudioStream | DecodeError:
    try:
        return api_pb2.AudioStream.FromString(message)
    except DecodeError as error:
        return error


def _bind(server: grpc.aio.Server, address: Address) -> int:
    try:
        if address.port:
            # gRPC doesn't say what is wrong with an address, so ask the system first.
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            socket.create_server((address.host, address.port), family=family).close()
        return int(server.add_insecure_port(str(address)))
    except (OSError, RuntimeError) as error:
        raise CannotListen(f"can't listen on {address} for gRPC: {error}") from error
