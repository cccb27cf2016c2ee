"""Finds the speech in all streams at once, without holding up the event loop.

One task collects the pieces of audio that streams have handed in and lets a worker thread judge
them in one go; what arrives meanwhile makes the next batch, so batches grow with the load by
themselves. A stream waits for its piece before it hands in the next: the queue is as long as there
are streams, no longer, and a stream that is judged slowly is read slowly.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from consumer.sandbox.silero import Heard, Model, Track

_BATCH = 128
"""Streams per run; larger batches cost more memory and save no time."""
_LINGER = 0.005
"""Seconds that a batch may wait for company."""
_PIECE = 65_536
"""Samples per piece at rates so high that a second is more than this."""


@dataclass(frozen=True, slots=True)
class _Job:
    track: Track
    pcm: bytes
    last: bool
    answer: asyncio.Future[Heard]


class Voice:
    """The voice activity model as a service within the process.

    thread: where the model runs; it should have one worker.
    """

    def __init__(self, model: Model, thread: Executor) -> None:
        self._model = model
        self._thread = thread
        self._jobs: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._complete = asyncio.Event()
        self._busy: dict[Track, float] = {}

    async def hear(self, track: Track, pcm: bytes, *, last: bool = False) -> Heard:
        """Judge the next piece of a stream, at most about a second of it (see `pieces`).

        Raises whatever the model raises; the track can't be used any more then.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Heard] = loop.create_future()
        self._jobs.append(_Job(track, pcm, last, answer))
        self._busy.pop(track, None)  # so that the dictionary stays in order of time
        self._busy[track] = loop.time()
        self._arrived.set()
        if len(self._jobs) >= len(self._busy):
            self._complete.set()
        return await answer

    async def work(self) -> None:
        """Judge batches until cancelled."""
        while True:
            await self._arrived.wait()
            await self._linger()
            batch = [self._jobs.popleft() for _ in range(min(_BATCH, len(self._jobs)))]
            if not self._jobs:
                self._arrived.clear()
            await self._judge([job for job in batch if not job.answer.done()])

    async def _linger(self) -> None:
        """Wait until as many pieces are here as streams were busy of late, but not for long."""
        now = asyncio.get_running_loop().time()
        while self._busy and (oldest := next(iter(self._busy.items())))[1] < now - 2 * _LINGER:
            del self._busy[oldest[0]]
        if len(self._jobs) < min(_BATCH, len(self._busy)):
            self._complete.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._complete.wait(), _LINGER)

    async def _judge(self, batch: list[_Job]) -> None:
        loop = asyncio.get_running_loop()
        pieces = [(job.track, job.pcm, job.last) for job in batch]
        try:
            heard = await loop.run_in_executor(self._thread, self._model.listen, pieces)
        except Exception as error:  # whatever onnxruntime raises belongs to these streams only
            for job in batch:
                with suppress(asyncio.InvalidStateError):
                    job.answer.set_exception(error)
            return
        for job, result in zip(batch, heard, strict=True):
            if not job.answer.done():
                job.answer.set_result(result)


def pieces(pcm: bytes, rate: int) -> Iterator[bytes]:
    """Cut audio into pieces of at most a second, so that no stream keeps the others waiting.

    pcm: 16-bit samples. rate: samples per second.
    """
    step = 2 * min(rate, _PIECE)
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
