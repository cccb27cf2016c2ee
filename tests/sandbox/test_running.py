"""A sandbox starts, stops, and outlives what fails in it."""

import asyncio
from dataclasses import replace

import pytest

from consumer.pb import api_pb2
from consumer.sandbox.errors import CannotListen, Misused
from consumer.sandbox.options import SandboxOptions
from consumer.sandbox.rules import Credentials
from consumer.sandbox.server import Sandbox, running
from consumer.sandbox.silero import Model
from tests.sandbox import sounds
from tests.sandbox.caller import CID, TOKEN, Caller, audio, config, connected, cut, finish

SPEECH = sounds.speech()


async def test_stopping_lets_streams_end() -> None:
    """Within the grace a stream may still half-close and get its results."""
    options = SandboxOptions(grace=20)
    house = running(options)
    sandbox = await house.__aenter__()
    async with connected(sandbox.grpc) as caller:
        call = caller.open()
        for message in (config(), *cut(SPEECH)):
            await call.write(message)
        await call.read()
        leaving = asyncio.create_task(house.__aexit__(None, None, None))
        await asyncio.sleep(0)
        await call.done_writing()
        reply = await finish(call)
        assert (reply.status, len(reply.times)) == ("OK", 3)  # the first was read before
        await leaving


async def test_stopping_ends_streams_that_go_on() -> None:
    """After the grace an open stream breaks with UNAVAILABLE."""
    async with running(SandboxOptions(grace=0)) as sandbox:
        channel = connected(sandbox.grpc)
        caller = await channel.__aenter__()
        call = caller.open()
        await call.write(config())
        await call.write(audio(SPEECH))
        await call.read()
    assert (await finish(call)).status == "UNAVAILABLE"
    await channel.__aexit__(None, None, None)


async def test_any_credentials_by_default() -> None:
    """Without a project of its own a sandbox takes any credentials, but some."""
    async with running(SandboxOptions(rest_listen=None)) as sandbox:
        assert sandbox.rest is None
        async with connected(sandbox.grpc) as caller:
            assert (await caller.send(config(), *cut(SPEECH))).status == "OK"
            assert (await caller.send(api_pb2.AudioStream())).status == "UNAUTHENTICATED"


async def test_wrong_scorer_is_told() -> None:
    """A scorer that can't be loaded keeps the sandbox from starting."""
    with pytest.raises(Misused, match="no_such_module"):
        async with running(SandboxOptions(scorer="no_such_module:x")):
            pass


async def test_failing_scorer_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    """A plug-in that fails is INTERNAL for its stream, and the sandbox lives on."""
    options = SandboxOptions(scorer=f"{__name__}:FailingScorer")
    async with running(options) as sandbox, connected(sandbox.grpc) as caller:
        reply = await caller.send(config(), *cut(SPEECH))
        assert reply.status == "INTERNAL"
        assert reply.detail == "scorer 'failing' failed: out of order"
        assert (await caller.send(config())).status == "OK"
    assert "scorer 'failing' failed" in caplog.text


async def test_scorer_must_judge_every_span() -> None:
    """A plug-in that gives too few scores is INTERNAL too."""
    options = SandboxOptions(scorer=f"{__name__}:LazyScorer")
    async with running(options) as sandbox, connected(sandbox.grpc) as caller:
        reply = await caller.send(config(), *cut(SPEECH))
    assert (reply.status, reply.detail) == (
        "INTERNAL",
        "scorer 'lazy' failed: 0 scores for 1 spans",
    )


class FailingScorer:
    """A scorer that can't score."""

    name = "failing"
    sample_rate = 16_000

    def score(self, batch: object) -> list[object]:
        raise ArithmeticError("out of order")


class LazyScorer:
    """A scorer that gives no scores."""

    name = "lazy"
    sample_rate = 8_000

    def score(self, batch: object) -> list[object]:
        return []


async def test_failing_model_ends_its_streams(
    sandbox: Sandbox, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the voice model fails, streams end INTERNAL; later ones work when it works again."""

    def fail(*_: object) -> None:
        raise MemoryError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(Model, "listen", fail)
        reply = await caller.send(config(), *cut(SPEECH))
    assert reply.status == "INTERNAL"
    assert "no room" in reply.detail
    assert (await caller.send(config(), *cut(SPEECH))).status == "OK"
    assert [record.status for record in sandbox.audit.records()] == ["INTERNAL", "OK"]


async def test_taken_port_is_told(sandbox: Sandbox) -> None:
    """A port that somebody else has is a mistake with a reason, for gRPC and for REST."""
    taken = SandboxOptions(listen=sandbox.grpc)
    with pytest.raises(CannotListen, match=f"{sandbox.grpc} for gRPC"):
        async with running(taken):
            pass
    with pytest.raises(CannotListen, match=f"{sandbox.rest} for REST"):
        async with running(
            replace(taken, listen=SandboxOptions().listen, rest_listen=sandbox.rest)
        ):
            pass


async def test_process_numbers_can_be_chosen() -> None:
    """Numbers count up from the first one given."""
    options = SandboxOptions(first_pid=44_676, credentials=Credentials(CID, TOKEN))
    async with running(options) as sandbox, connected(sandbox.grpc) as caller:
        pids = [(await caller.send(config(), *cut(SPEECH))).messages[0].pid for _ in range(2)]
    assert pids == [44_676, 44_677]
