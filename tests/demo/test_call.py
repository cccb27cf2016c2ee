"""Playing a call: order, pace, end mark and failures."""

import asyncio
from collections.abc import Callable

import pytest

from consumer.codec.fields import ChunkFields
from consumer.demo.call import Call, play
from consumer.demo.guise import Guise
from consumer.errors import KafkaFailed
from consumer.model import AudioFormat, Outgoing, SessionKey

GUISE = Guise(name="test", format=AudioFormat(), chunk_bytes=8_000)


class Brokers:
    """A sink that keeps what it gets, and answers by a function."""

    def __init__(self, answer: Callable[["asyncio.Future[None]"], None]) -> None:
        self.records: list[Outgoing] = []
        self.waiting = 0
        self.most_waiting = 0
        self._answer = answer

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def send(self, record: Outgoing) -> "asyncio.Future[None]":
        self.records.append(record)
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        loop.call_soon(self._end, written)
        return written

    def _end(self, written: "asyncio.Future[None]") -> None:
        self.waiting -= 1
        self._answer(written)


def accept(written: "asyncio.Future[None]") -> None:
    written.set_result(None)


def refuse(written: "asyncio.Future[None]") -> None:
    written.set_exception(KafkaFailed("no leader"))


def call(data: bytes, *, ended: bool = True, fields: ChunkFields | None = None) -> Call:
    return Call(
        key=SessionKey("ann"), guise=GUISE, data=data, ended=ended, fields=fields or ChunkFields()
    )


def header(record: Outgoing, name: str) -> bytes | None:
    return dict(record.headers).get(name)


async def test_chunks_go_in_order_and_end() -> None:
    """Chunks are numbered from 0; a null value closes the call."""
    brokers, heard = Brokers(accept), list[float]()
    await play(call(bytes(20_000)), "calls", brokers, 0, lambda _, s: heard.append(s))
    *spoken, end = brokers.records
    assert [len(record.value or b"") for record in spoken] == [8_000, 8_000, 4_000]
    assert [header(record, "sequence") for record in spoken] == [b"0", b"1", b"2"]
    assert end.value is None
    assert heard == [0.25, 0.25, 0.125, 0.0]
    assert {(record.topic, record.key) for record in brokers.records} == {("calls", b"ann")}


async def test_call_may_stay_open() -> None:
    """Without an end mark nothing follows the audio."""
    brokers = Brokers(accept)
    await play(call(bytes(8_000), ended=False), "calls", brokers, 0, lambda *_: None)
    assert [record.value for record in brokers.records] == [bytes(8_000)]


async def test_extra_fields_go_along() -> None:
    """What is said of the call is on every record."""
    brokers = Brokers(accept)
    spoken = call(bytes(8_000), fields=ChunkFields(tenant="acme"))
    await play(spoken, "calls", brokers, 0, lambda *_: None)
    assert [header(record, "tenant") for record in brokers.records] == [b"acme", b"acme"]


@pytest.mark.looptime
@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 2.0), (4.0, 0.5), (0.0, 0.0)])
async def test_pace_is_that_of_a_person(speed: float, seconds: float) -> None:
    """Two seconds of audio take two seconds divided by the speed, or none at speed 0."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    await play(call(bytes(64_000)), "calls", Brokers(accept), speed, lambda *_: None)
    assert loop.time() - start == pytest.approx(seconds, abs=1e-3)


async def test_failure_of_the_brokers_is_told() -> None:
    """A record that isn't written ends the play."""
    with pytest.raises(KafkaFailed, match="no leader"):
        await play(call(bytes(8_000)), "calls", Brokers(refuse), 0, lambda *_: None)


async def test_unacknowledged_records_are_bounded() -> None:
    """However long the call, only so many records wait for the brokers."""
    brokers = Brokers(accept)
    await play(call(bytes(8_000 * 1_200)), "calls", brokers, 0, lambda *_: None)
    assert len(brokers.records) == 1_201
    assert brokers.most_waiting <= 501
