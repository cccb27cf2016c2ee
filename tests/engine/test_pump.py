"""A stream's two pumps: one writes, one reads, and only the latter tells of the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

import pytest

from consumer.core.events import AudioTaken, Event, ResultArrived, StreamBroke, StreamEnded
from consumer.engine.pump import Pump
from consumer.errors import Fault, LocalProtocolError, StreamFailed
from consumer.model import (
    Frames,
    Hertz,
    Level,
    LevelChoice,
    StreamConfig,
    StreamMessage,
    StreamNumber,
    StreamResult,
)
from tests.engine.props import Numbers
from tests.engine.stand import Stand, settle_down, virtual_time
from tests.fakes.analyzer import FakeStream

pytestmark = virtual_time

CONFIG = StreamConfig(Hertz(100), LevelChoice.ALL)
SECOND = bytes(200)
UNAVAILABLE = StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away")


def message(number: int = 0) -> StreamMessage:
    """One response with one result."""
    result = StreamResult("r", Fraction(0), Fraction(1), "deepfake", Level.SEGMENT, "bonafide")
    return StreamMessage(1, 2, number, (result,))


async def roomy() -> None:
    """There is always room for results."""


class Pumped:
    """A pump, the events it has told, and the world around it."""

    def __init__(self, stand: Stand, pump: Pump, told: list[Event]) -> None:
        self.stand = stand
        self.pump = pump
        self.told = told

    @property
    def stream(self) -> FakeStream:
        """The server's end."""
        [stream] = self.stand.api.streams
        return stream

    def ends(self) -> list[Event]:
        """What was told of the stream's end."""
        return [event for event in self.told if isinstance(event, StreamBroke | StreamEnded)]


@asynccontextmanager
async def pumping(
    tell: Callable[[Event], None] | None = None,
    room: Callable[[], Awaitable[None]] = roomy,
    stand: Stand | None = None,
) -> AsyncIterator[Pumped]:
    """A pump that has been started; the server answers nothing by itself."""
    stand = stand or Stand(lambda _: None)
    told: list[Event] = []
    async with stand.kitted() as kit:
        pump = Pump(StreamNumber(3), CONFIG, kit, tell or told.append, room)
        pump.start("stream 3 of call")
        await settle_down()
        yield Pumped(stand, pump, told)


async def test_config_goes_before_audio() -> None:
    """The stream is opened with its config, then audio is written in order, then half-closed."""
    async with pumping() as p:
        p.pump.push(b"ab")
        p.pump.push(b"cdef")
        p.pump.push(None)
        await settle_down()
        assert p.stream.config == CONFIG
        assert p.stream.audio == [b"ab", b"cdef"]
        assert p.stream.half_close_seen


async def test_what_was_written_is_told_when_somebody_asks() -> None:
    """A few small messages are not worth an event; once told, they are not told again."""
    async with pumping() as p:
        p.pump.push(b"ab")
        p.pump.push(b"cdef")
        await settle_down()
        assert p.told == []
        assert p.pump.taken() == AudioTaken(StreamNumber(3), Frames(3))
        assert p.pump.taken() is None


async def test_what_was_written_last_can_still_be_asked_for_when_the_end_is_told() -> None:
    """A session that hears of a break knows first what the stream has taken."""
    asked: list[AudioTaken | None] = []
    pumps: list[Pump] = []

    def tell(event: Event) -> None:
        if isinstance(event, StreamBroke):
            asked.append(pumps[0].taken())

    async with pumping(tell) as p:
        pumps.append(p.pump)
        p.pump.push(SECOND[:100])
        await settle_down()
        p.stream.fail(UNAVAILABLE)
        await settle_down()
        assert asked == [AudioTaken(StreamNumber(3), Frames(50))]
        assert p.stand.metrics.values["audio_bytes"] == 100


async def test_an_abandoned_stream_s_audio_counts() -> None:
    """Though nobody asks for it any more."""
    async with pumping() as p:
        p.pump.push(SECOND[:100])
        await settle_down()
        p.pump.cancel()
        await settle_down()
        assert p.stand.metrics.values["audio_bytes"] == 100
        assert p.told == []


async def test_half_a_window_is_told_at_once() -> None:
    """The session waits for room, so it must hear of it before the window is full."""
    window = round(Numbers().session.coalesce.in_flight * CONFIG.sample_rate)
    async with pumping() as p:
        p.pump.push(bytes(window // 2))
        await settle_down()
        assert p.told == []
        p.pump.push(bytes(window // 2))
        await settle_down()
        assert p.told == [AudioTaken(StreamNumber(3), Frames(window // 2))]
        assert p.pump.taken() is None


async def test_audio_that_is_pushed_before_the_stream_is_open_waits_for_it() -> None:
    """Nothing is lost while the stream is being opened."""
    stand = Stand(lambda _: None)
    opened = stand.api.script.hold("open")
    async with pumping(stand=stand) as p:
        p.pump.push(b"ab")
        await settle_down()
        assert not stand.api.streams
        opened.set()
        await settle_down()
        assert p.stream.audio == [b"ab"]


async def test_ok_after_the_half_close_is_an_end() -> None:
    """The end says that the half-close went before it, after all results."""
    async with pumping() as p:
        p.pump.push(None)
        await settle_down()
        p.stream.send(message())
        p.stream.end()
        await settle_down()
        assert p.told == [
            ResultArrived(StreamNumber(3), message()),
            StreamEnded(StreamNumber(3), half_closed=True),
        ]


async def test_ok_before_the_half_close_says_so() -> None:
    """An early OK is told as one, and the writer that still waits is gone."""
    async with pumping() as p:
        p.stream.end()
        await settle_down()
        assert p.told == [StreamEnded(StreamNumber(3), half_closed=False)]


async def test_a_break_that_both_pumps_see_counts_once() -> None:
    """The writer that runs into the broken stream leaves it to the reader to tell."""
    async with pumping() as p:
        p.stream.stop_reading()
        p.pump.push(SECOND)
        await settle_down()
        p.stream.fail(UNAVAILABLE)
        await settle_down()
        assert p.ends() == [
            StreamBroke(StreamNumber(3), Fault.TRANSIENT, "UNAVAILABLE", "going away")
        ]


async def test_a_break_that_only_the_writer_sees_is_told_by_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A write that fails ends the stream, and that ends the reader."""

    async def fail(audio: bytes) -> None:
        raise UNAVAILABLE

    async with pumping() as p:
        monkeypatch.setattr(p.stream, "write", fail)
        p.pump.push(SECOND)
        await settle_down()
        [end] = p.ends()
        assert isinstance(end, StreamBroke)
        assert p.stream.cancelled


async def test_a_stream_that_can_not_be_opened_breaks() -> None:
    """The status of the failed opening is told like any other break."""
    stand = Stand(lambda _: None)
    stand.api.script.fail("open", StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "bad token"))
    async with pumping(stand=stand) as p:
        assert p.told == [
            StreamBroke(StreamNumber(3), Fault.SETTINGS, "UNAUTHENTICATED", "bad token")
        ]


async def test_cancelling_gives_the_stream_up_without_a_half_close() -> None:
    """A half-close would cut an utterance in two; and nothing is told of an abandoned stream."""
    async with pumping() as p:
        p.pump.push(SECOND)
        await settle_down()
        p.told.clear()
        p.pump.cancel()
        p.stream.send(message())
        await settle_down()
        assert p.stream.cancelled
        assert not p.stream.half_closed
        assert p.told == []


async def test_cancelling_while_the_stream_is_opened_leaves_none_behind() -> None:
    """The opening is given up, and a task that ends so is no failure of the engine."""
    stand = Stand(lambda _: None)
    stand.api.script.hold("open")
    async with pumping(stand=stand) as p:
        p.pump.cancel()
        await settle_down()
        assert p.told == []
    assert all(stream.cancelled for stream in stand.api.streams)


async def test_results_go_on_while_the_server_takes_no_audio() -> None:
    """A server that stops reading blocks the writer alone."""
    async with pumping() as p:
        p.stream.stop_reading()
        p.pump.push(SECOND)
        for number in range(50):
            p.stream.send(message(number))
        await settle_down(200)
        assert len(p.told) == 50
        p.stream.read_on()
        await settle_down()
        assert p.stream.audio == [SECOND]


async def test_audio_goes_on_while_results_find_no_room() -> None:
    """An output that is full blocks the reader alone, after the result that filled it."""
    room = asyncio.Event()

    async def wait() -> None:
        await room.wait()

    async with pumping(room=wait) as p:
        p.stream.send(message(0))
        p.stream.send(message(1))
        for _ in range(50):
            p.pump.push(SECOND)
        await settle_down(200)
        assert len(p.stream.audio) == 50
        results = [event for event in p.told if isinstance(event, ResultArrived)]
        assert [result.message.message_id for result in results] == [0]
        room.set()
        await settle_down()
        assert isinstance(p.told[-1], ResultArrived)


async def test_results_and_audio_both_full_are_no_deadlock() -> None:
    """When both ways are full and then free again, everything arrives."""
    room = asyncio.Event()

    async def wait() -> None:
        await room.wait()

    async with pumping(room=wait) as p:
        p.stream.stop_reading()
        for number in range(20):
            p.pump.push(SECOND)
            p.stream.send(message(number))
        p.pump.push(None)
        await settle_down(200)
        room.set()
        p.stream.read_on()
        await settle_down(200)
        p.stream.end()
        await settle_down()
        assert len(p.stream.audio) == 20
        assert sum(isinstance(event, ResultArrived) for event in p.told) == 20
        assert p.ends() == [StreamEnded(StreamNumber(3), half_closed=True)]


@pytest.mark.parametrize("culprit", [AudioTaken, ResultArrived])
async def test_a_bug_in_the_session_ends_the_engine(culprit: type[Event]) -> None:
    """An unexpected error in either pump is not swallowed, and ends the engine at once."""

    def tell(event: Event) -> None:
        if isinstance(event, culprit):
            raise LocalProtocolError("a bug")

    async def pump() -> None:
        async with pumping(tell) as p:
            p.stream.send(message())
            p.pump.push(SECOND)
            await asyncio.sleep(1)
            pytest.fail("the engine should have ended")

    with pytest.raises(ExceptionGroup) as caught:
        await pump()
    assert caught.group_contains(LocalProtocolError, match="a bug")
