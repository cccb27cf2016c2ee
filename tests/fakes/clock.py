"""A clock that follows the event loop's time, virtual or not."""

import asyncio

from consumer.model import Milliseconds


class FakeClock:
    """A `ports.Clock`. Wall time starts at `start_ms` and may be set wrong with `skew_ms`."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self.skew_ms = 0
        self._start_ms = start_ms

    def monotonic(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> Milliseconds:
        """Moves with the loop's time."""
        return Milliseconds(self._start_ms + self.skew_ms + int(self.monotonic() * 1000))
