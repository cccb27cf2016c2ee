"""The two clocks of this machine."""

import asyncio
import time

from consumer.model import Milliseconds


class SystemClock:
    """A `ports.Clock`. Its monotonic time is the event loop's, so deadlines can be told to it."""

    def monotonic(self) -> float:
        """Seconds that never go back; needs a running event loop."""
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> Milliseconds:
        """Milliseconds since the Unix epoch."""
        return Milliseconds(time.time_ns() // 1_000_000)
