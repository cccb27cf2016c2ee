"""Many streams share one model without waiting for, or hurting, each other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from consumer.sandbox.silero import Heard, Model, Track
from consumer.sandbox.voice import Voice, pieces
from tests.sandbox import sounds

Batch = Sequence[tuple[Track, bytes, bool]]


class StubModel(Model):
    """Answers every piece with its length; fails on the piece b"bad"."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def listen(self, batch: Batch) -> list[Heard]:
        self.go.wait(10)
        self.batches.append(len(batch))
        if any(pcm == b"bad" for _, pcm, _ in batch):
            raise RuntimeError("bad piece")
        return [Heard(np.full(1, len(pcm), np.float32), pcm) for _, pcm, _ in batch]


@asynccontextmanager
async def working(model: Model) -> AsyncIterator[Voice]:
    """A voice whose task runs."""
    with ThreadPoolExecutor(1) as thread:
        voice = Voice(model, thread)
        task = asyncio.create_task(voice.work())
        try:
            yield voice
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_everyone_gets_the_own_answer() -> None:
    """Three hundred streams at once get the answer to their own piece each."""
    async with working(StubModel()) as voice:
        sizes = range(2, 602, 2)
        answers = await asyncio.gather(*(voice.hear(Track(8_000), bytes(n)) for n in sizes))
    assert [answer.probabilities[0] for answer in answers] == list(sizes)


async def test_what_waits_is_judged_together() -> None:
    """Pieces that arrive while the model works make one batch."""
    model = StubModel()
    async with working(model) as voice:
        model.go.clear()
        first = asyncio.create_task(voice.hear(Track(8_000), b"ab"))
        await asyncio.sleep(0)
        rest = [asyncio.create_task(voice.hear(Track(8_000), b"ab")) for _ in range(20)]
        await asyncio.sleep(0)
        model.go.set()
        await asyncio.gather(first, *rest)
    assert sum(model.batches) == 21
    assert len(model.batches) <= 2


async def test_failure_reaches_its_streams_only() -> None:
    """Streams in a failed batch get the error; the next batch works."""
    async with working(StubModel()) as voice:
        with pytest.raises(RuntimeError, match="bad piece"):
            await voice.hear(Track(8_000), b"bad")
        assert (await voice.hear(Track(8_000), b"good")).audio == b"good"


async def test_stream_that_goes_away_is_forgotten() -> None:
    """A stream that is cancelled while it waits doesn't disturb the others."""
    model = StubModel()
    async with working(model) as voice:
        model.go.clear()
        gone = asyncio.create_task(voice.hear(Track(8_000), b"ab"))
        stays = asyncio.create_task(voice.hear(Track(8_000), b"abcd"))
        await asyncio.sleep(0.02)
        gone.cancel()
        model.go.set()
        assert (await stays).audio == b"abcd"


async def test_loop_stays_free(model: Model) -> None:
    """While the model works, other tasks run."""
    async with working(model) as voice:
        hearing = asyncio.create_task(voice.hear(Track(8_000), sounds.speech(8_000, 5)))
        turns = 0
        while not hearing.done():
            turns += 1
            await asyncio.sleep(0)
    assert turns > 10


def test_pieces_are_a_second_at_most() -> None:
    """Pieces are whole samples, a second at most, and nothing is lost."""
    for rate in (1, 8_000, 44_100, 1_000_000):
        pcm = bytes(range(256)) * 2_000
        parts = list(pieces(pcm[: 60 * 2 * rate], rate))
        assert b"".join(parts) == pcm[: 60 * 2 * rate]
        assert all(len(part) % 2 == 0 and len(part) <= 2 * min(rate, 65_536) for part in parts)
