"""The two clocks of this machine."""

import time

from consumer.model import Milliseconds


class SystemClock:
    """A `ports.Clock`.

    Its monotonic time is that of asyncio's own event loops, so deadlines can be told them; asking
    the running loop would cost a system call each time, and every chunk asks.
    """

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def wall_ms(self) -> Milliseconds:
        """Milliseconds since the Unix epoch."""
        return Milliseconds(time.time_ns() // 1_000_000)
