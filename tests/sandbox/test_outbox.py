"""Results go out in order, numbered, and as late as a fault wants."""

import asyncio

import pytest

from consumer.pb import api_pb2
from consumer.sandbox.outbox import Outbox


def results(*ids: str) -> list[api_pb2.InferenceResult]:
    """Results that can be told apart."""
    return [api_pb2.InferenceResult(id=one) for one in ids]


@pytest.mark.looptime
async def test_messages_are_numbered_and_late() -> None:
    """Each message is written when its delay is over, in the order in which it was put."""
    loop = asyncio.get_running_loop()
    written: list[tuple[float, int, str]] = []

    async def write(message: api_pb2.StreamResult) -> None:
        assert (message.cid, message.pid) == (7, 42)
        written.append((loop.time(), message.message_id, message.result[0].id))

    outbox = Outbox(write, 7, 42)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(outbox.deliver())
        await outbox.put(results("a", "b"), 3.0)
        await asyncio.sleep(1)
        await outbox.put(results("c"), 0.0)
        await outbox.close(5.0)
    assert written == [(3.0, 0, "a"), (3.0, 1, "b"), (3.0, 2, "c")]
    assert loop.time() == 6.0


@pytest.mark.looptime
async def test_full_outbox_holds_the_stream_up() -> None:
    """A caller who takes nothing stops the stream, which goes on when results are taken."""
    gate = asyncio.Event()
    taken = 0

    async def write(message: api_pb2.StreamResult) -> None:
        nonlocal taken
        await gate.wait()
        taken += 1

    outbox = Outbox(write, 7, 42)
    many = results(*map(str, range(1_500)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(outbox.deliver())
        putting = tasks.create_task(outbox.put(many, 0.0))
        await asyncio.sleep(60)
        assert not putting.done()
        gate.set()
        await putting
        await outbox.close(0.0)
    assert taken == 1_500
