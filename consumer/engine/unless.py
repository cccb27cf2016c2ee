"""Work that a stop may interrupt: what may take long and has begun nothing that must be ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do this, or give it up once `stop` is set; returns whether it was done.

    Raises what the work does, but not what it makes of being given up.
    """
    working = asyncio.create_task(work, name="work that a stop may interrupt")
    asked = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
    finally:
        asked.cancel()
        working.cancel()
        await asyncio.wait({working, asked})
    if not working.cancelled():
        working.exception()
    return False
