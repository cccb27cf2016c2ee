"""One stream's way from audio to results: voice, segments, scorer, in that order."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor

import soxr

from consumer.pb import api_pb2
from consumer.sandbox.answers import answer
from consumer.sandbox.errors import Refused
from consumer.sandbox.rules import StreamConfig
from consumer.sandbox.scorer import Score, Scorer
from consumer.sandbox.segments import Centiseconds, Segmenter, Span, SpeechPolicy
from consumer.sandbox.silero import Samples, Track
from consumer.sandbox.tape import Tape
from consumer.sandbox.voice import Voice, pieces

_log = logging.getLogger(__name__)


class Bench:
    """Judges spans in the worker thread."""

    def __init__(self, scorer: Scorer, thread: Executor) -> None:
        self._scorer = scorer
        self._thread = thread

    async def score(self, spans: Sequence[Samples], rate: int) -> Sequence[Score]:
        """One score for each span of audio at `rate` Hz. Raises Refused when the scorer fails."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._score, spans, rate)

    def _score(self, spans: Sequence[Samples], rate: int) -> Sequence[Score]:
        try:
            return self._ask(spans, rate)
        except Exception as error:  # a plug-in may fail in any way
            _log.exception("scorer %r failed", self._scorer.name)
            raise Refused("INTERNAL", f"scorer {self._scorer.name!r} failed: {error}") from error

    def _ask(self, spans: Sequence[Samples], rate: int) -> Sequence[Score]:
        wanted = self._scorer.sample_rate
        batch = [one if rate == wanted else soxr.resample(one, rate, wanted) for one in spans]
        scores = self._scorer.score(batch)
        if len(scores) != len(spans):
            raise ValueError(f"{len(scores)} scores for {len(spans)} spans")
        return scores


class Analysis:
    """Everything that is known of one stream's audio."""

    def __init__(
        self, config: StreamConfig, policy: SpeechPolicy, voice: Voice, bench: Bench
    ) -> None:
        self._config = config
        self._voice = voice
        self._bench = bench
        self._track = Track(config.sample_rate)
        self._segmenter = Segmenter(policy)
        self._tape = Tape(self._track.mode.rate)
        self._samples = 0

    async def hear(self, pcm: bytes) -> list[api_pb2.InferenceResult]:
        """The results that the next message of audio completes."""
        results: list[api_pb2.InferenceResult] = []
        for piece in pieces(pcm, self._config.sample_rate):
            self._samples += len(piece) // 2
            results += await self._judge(await self._listen(piece))
        return results

    async def finish(self) -> list[api_pb2.InferenceResult]:
        """The results that the end of the stream completes."""
        spans = await self._listen(b"", last=True)
        duration = Centiseconds(self._samples * 100 // self._config.sample_rate)
        return await self._judge(spans + self._segmenter.finish(duration))

    async def _listen(self, piece: bytes, *, last: bool = False) -> list[Span]:
        heard = await self._voice.hear(self._track, piece, last=last)
        self._tape.record(heard.audio)
        # The resampler rounds lengths, so the stream's own count has a say in what has passed.
        seconds = min(self._tape.seconds, self._samples // self._config.sample_rate)
        return self._segmenter.hear(heard.probabilities.tolist(), seconds)

    async def _judge(self, spans: list[Span]) -> list[api_pb2.InferenceResult]:
        wanted = [span for span in spans if span.level in self._config.levels]
        audio = [self._tape.play(span.start, span.end) for span in wanted]
        self._tape.forget(self._segmenter.open_since)
        if not wanted:
            return []
        scores = await self._bench.score(audio, self._track.mode.rate)
        pairs = zip(wanted, scores, strict=True)
        return [answer(span, score, self._config) for span, score in pairs]
