"""Faults on demand happen to real streams over TCP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumer.sandbox import wire
from consumer.sandbox.audit import StreamRecord
from consumer.sandbox.faults import parse_rule
from consumer.sandbox.options import SandboxOptions
from consumer.sandbox.server import Sandbox, running
from tests.sandbox import sounds
from tests.sandbox.caller import Caller, Reply, audio, config, connected, cut, finish, until

SPEECH = sounds.speech()


def call_with(caller: Caller, fault: str) -> "asyncio.Task[Reply]":
    """Send the sentence on a stream that brings its own fault."""
    sending = caller.send(config(), *cut(SPEECH), x_sandbox_fault=fault)
    return asyncio.create_task(sending)


@asynccontextmanager
async def faulty(*rules: str, seed: int = 0) -> AsyncIterator[tuple[Sandbox, Caller]]:
    """A sandbox that starts with faults."""
    options = SandboxOptions(
        faults=tuple(parse_rule(rule) for rule in rules), fault_seed=seed, grace=0
    )
    async with running(options) as sandbox, connected(sandbox.grpc) as caller:
        yield sandbox, caller


def last(sandbox: Sandbox) -> StreamRecord:
    """The newest stream."""
    return max(sandbox.audit.records(), key=lambda record: record.number)


@pytest.mark.parametrize(
    ("rule", "status", "received", "results"),
    [
        ("unavailable-after=2.5", "UNAVAILABLE", 2.5, 1),
        ("invalid-argument-after=1", "INVALID_ARGUMENT", 1.0, 0),
        ("out-of-range-after=4.1", "OUT_OF_RANGE", 4.25, 2),
        ("unauthenticated-after=0", "UNAUTHENTICATED", 0.0, 0),
        ("permission-denied-after=0", "PERMISSION_DENIED", 0.0, 0),
        ("resource-exhausted-after=2", "RESOURCE_EXHAUSTED", 2.0, 0),
    ],
)
async def test_status_after_some_audio(
    caller: Caller, sandbox: Sandbox, rule: str, status: str, received: float, results: int
) -> None:
    """The stream ends with the status once that much audio was received, but not analysed."""
    reply = await call_with(caller, rule)
    assert (reply.status, len(reply.results)) == (status, results)
    assert rule in reply.detail
    record = last(sandbox)
    assert (record.seconds, record.status, record.faults) == (received, status, [rule])
    assert not record.half_closed


async def test_fault_beyond_the_end_does_nothing(caller: Caller, sandbox: Sandbox) -> None:
    """A stream that ends before its fault ends well."""
    reply = await call_with(caller, "unavailable-after=60")
    assert (reply.status, len(reply.results)) == ("OK", 4)
    assert last(sandbox).faults == []


async def test_early_ok(caller: Caller, sandbox: Sandbox) -> None:
    """OK before the half-close: what was analysed gets its last results, the rest is lost."""
    reply = await call_with(caller, "ok-after=3.5")
    assert reply.status == "OK"
    assert reply.times[-1] == ("utterance", "0.00", "3.25")
    record = last(sandbox)
    assert (record.seconds, record.status, record.half_closed) == (3.5, "OK", False)


async def test_cut_connection(caller: Caller, sandbox: Sandbox) -> None:
    """A cut connection breaks all streams on it, without a status from the server."""
    bystander = caller.open()
    await bystander.write(config())
    call = caller.open(x_sandbox_fault="cut-after=3")
    await call.write(config())
    await call.write(audio(SPEECH))
    reply = await finish(call)
    assert reply.status == "UNAVAILABLE"
    assert "fault" not in reply.detail
    assert (await finish(bystander)).status == "UNAVAILABLE"
    await until(lambda: not sandbox.audit.accepted)
    assert {record.status for record in sandbox.audit.records()} == {"CANCELLED"}
    assert last(sandbox).faults == ["cut-after=3"]


async def test_cut_leaves_other_connections_alone(caller: Caller, sandbox: Sandbox) -> None:
    """Streams on another connection don't notice, and the next call connects anew."""
    async with connected(sandbox.grpc) as other:
        call = other.open()
        await call.write(config())
        assert (await call_with(caller, "cut-after=1")).status == "UNAVAILABLE"
        await call.write(audio(SPEECH))
        await call.done_writing()
        assert (await finish(call)).status == "OK"
    assert (await caller.send(config(), *cut(SPEECH))).status == "OK"


async def test_cut_that_fails_is_told(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that can't be found isn't cut in silence."""
    monkeypatch.setattr(wire, "cut", lambda _: False)
    reply = await call_with(caller, "cut-after=1")
    assert reply.status == "INTERNAL"
    assert "no connection to ipv4:127.0.0.1:" in reply.detail


async def test_server_that_stops_reading(caller: Caller, sandbox: Sandbox) -> None:
    """The server takes no more audio, although calls look alive, until the rule is taken back."""
    number = sandbox.faults.add(parse_rule("stop-reading-after=3"))
    sending = asyncio.create_task(caller.send(config(), *cut(SPEECH)))
    await until(lambda: sandbox.audit.total and last(sandbox).faults)
    assert last(sandbox).seconds == 3.0
    assert not sending.done()
    sandbox.faults.remove(number)
    reply = await sending
    assert (reply.status, len(reply.results)) == ("OK", 4)
    assert last(sandbox).size == len(SPEECH)


async def test_caller_may_leave_a_server_that_stopped(caller: Caller, sandbox: Sandbox) -> None:
    """A stream that nobody reads ends when its caller cancels."""
    call = caller.open(x_sandbox_fault="stop-reading-after=0")
    await call.write(config())
    await until(lambda: sandbox.audit.total and last(sandbox).faults)
    call.cancel()
    await until(lambda: not sandbox.audit.accepted)
    assert last(sandbox).status == "CANCELLED"


async def test_late_results_are_complete(caller: Caller) -> None:
    """Delayed results come in order, all of them, and before the OK."""
    reply = await call_with(caller, "delay-results=0.2")
    assert (reply.status, len(reply.results)) == ("OK", 4)
    assert [message.message_id for message in reply.messages] == [0, 1, 2, 3]


async def test_number_of_streams_is_limited(sandbox: Sandbox, caller: Caller) -> None:
    """A stream too many is RESOURCE_EXHAUSTED; when one has ended there is room again."""
    sandbox.faults.add(parse_rule("max-streams=1"))
    first = caller.open()
    await first.write(config())
    await until(lambda: sandbox.audit.accepted == 1)
    assert (await caller.send(config())).status == "RESOURCE_EXHAUSTED"
    await first.done_writing()
    assert (await finish(first)).status == "OK"
    assert (await caller.send(config())).status == "OK"


async def test_credentials_refused_for_a_while(sandbox: Sandbox, caller: Caller) -> None:
    """Rules that come and go hold for new streams, and for open ones from the next message."""
    call = caller.open()
    await call.write(config())
    await call.write(audio(SPEECH))
    await call.read()
    sandbox.faults.add(parse_rule("unauthenticated-after=0"))
    await call.write(audio(SPEECH))
    assert (await finish(call)).status == "UNAUTHENTICATED"
    assert (await caller.send(config())).status == "UNAUTHENTICATED"
    sandbox.faults.clear()
    assert (await caller.send(config(), *cut(SPEECH))).status == "OK"


async def test_rules_from_the_start_choose_streams() -> None:
    """Rules by number, project and session hit the streams they name."""
    rules = ("aborted-after=0;stream=0", "internal-after=0;session=b", "data-loss-after=0;cid=9")
    async with faulty(*rules) as (_, caller):
        statuses = [(await caller.send(config(), x_session_id=session)).status for session in "aab"]
        foreign = config()
        foreign.cid = 9
        statuses.append((await caller.send(foreign)).status)
    assert statuses == ["ABORTED", "OK", "INTERNAL", "DATA_LOSS"]


async def test_chance_hits_some() -> None:
    """A probability hits the same streams again when the seed is the same."""
    runs = []
    for _ in range(2):
        async with faulty("unavailable-after=0;probability=0.5", seed=3) as (_, caller):
            runs.append([(await caller.send(config())).status for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"OK", "UNAVAILABLE"}


async def test_bad_header_is_told(caller: Caller) -> None:
    """A fault header that can't be read is INVALID_ARGUMENT and says why."""
    reply = await caller.send(config(), x_sandbox_fault="explode=1")
    assert reply.status == "INVALID_ARGUMENT"
    assert "'explode' is not known" in reply.detail
