"""Taking leave of the brokers: in time, whatever the client library makes of it.

Its clients await tasks that they have cancelled themselves, and where the brokers are gone that
cancellation comes out as if our own task had been cancelled. So they stop in a task of their own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def leave(stop: Callable[[], Coroutine[Any, Any, object]], patience_seconds: float) -> None:
    """Stop a client; what fails, or doesn't end in time, is left to itself.

    Nothing is lost with that: futures have told their fate, and the group evicts who is silent.
    """
    stopping = asyncio.create_task(stop(), name="stop a Kafka client")
    await asyncio.wait({stopping}, timeout=patience_seconds)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled():
        stopping.exception()
