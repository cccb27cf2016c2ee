"""The detection API by grpc.aio."""

import asyncio

from consumer.adapters.analyzer.options import AnalyzerOptions
from consumer.adapters.analyzer.pool import ChannelPool, Seat
from consumer.adapters.analyzer.stream import GrpcStream
from consumer.adapters.analyzer.words import Words
from consumer.errors import ConfigurationError, Fault, StreamFailed
from consumer.model import Hertz, LevelChoice, StreamConfig

PROBE = StreamConfig(Hertz(16_000), LevelChoice.ALL)
"""What is asked for when nothing is: the rate that the API's models work at."""


class GrpcAnalyzer:
    """A `ports.Analyzer`: opens streams on a pool of channels."""

    def __init__(self, options: AnalyzerOptions) -> None:
        self._options = options
        self._pool = ChannelPool(options)

    async def open(self, config: StreamConfig) -> GrpcStream:
        """Open a stream and send its config first. Raises StreamFailed.

        Returns once the config is written, or when that takes longer than the options' patience.
        """
        words = Words(self._options, self._token(), config)
        seat = self._pool.take()
        stream = GrpcStream(seat.start(), words, lambda: self._give_back(seat))
        try:
            await stream.configured(self._options.patience_seconds)
        except BaseException:
            stream.cancel()
            raise
        return stream

    async def probe(self) -> None:
        """Open a stream that carries nothing and bring it to its OK. Raises StreamFailed."""
        seconds = self._options.probe_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._probe()
        except TimeoutError as error:
            text = f"a stream without audio did not end within {seconds:g} s"
            raise StreamFailed(Fault.TRANSIENT, "DEADLINE_EXCEEDED", text) from error

    async def stop(self) -> None:
        """Close all channels; streams that are open break."""
        await self._pool.stop()

    async def _probe(self) -> None:
        stream = await self.open(PROBE)
        try:
            await stream.half_close()
            while await stream.read() is not None:
                pass
        finally:
            stream.cancel()

    def _give_back(self, seat: Seat) -> None:
        self._pool.give_back(seat)

    def _token(self) -> str:
        try:
            return self._options.token()
        except ConfigurationError as error:
            raise StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", str(error)) from error
