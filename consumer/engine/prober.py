"""Finds out whether the API works again while the breaker is open, without any call's audio."""

import asyncio

from consumer.engine.kit import Kit
from consumer.engine.ownership import Ownership
from consumer.errors import Fault, StreamFailed

_LOOK = 0.1
"""Seconds between looks at the breaker while it is open."""
_CALM_LOOK = 0.5
"""The same while it is closed: no pause before the first probe is shorter, and to wake up ten times
a second costs an idle process more than anything else that it does.
"""
_LIMIT = 10.0
"""Seconds a probe may take."""


async def probe_for_ever(kit: Kit, ownership: Ownership) -> None:
    """Probe when it is due; let all sessions know when the API works again."""
    was_open = False
    while True:
        await asyncio.sleep(_LOOK if was_open else _CALM_LOOK)
        breaker = kit.breaker
        kit.metrics.gauge("breaker_open", 0 if breaker.allows else 1)
        if breaker.allows:
            was_open = False
            continue
        if not was_open:
            was_open = True
            kit.log.error("the API seems broken, no streams are opened", reason=breaker.reason)
        at = breaker.probe_at
        if at is not None and kit.clock.monotonic() >= at:
            await _probe(kit, ownership)


async def _probe(kit: Kit, ownership: Ownership) -> None:
    breaker = kit.breaker
    breaker.probing()
    try:
        async with asyncio.timeout(_LIMIT):
            await kit.analyzer.probe()
    except StreamFailed as failure:
        refused = failure.fault is Fault.SETTINGS
        breaker.probed(str(failure), kit.clock.monotonic(), refused=refused)
    except TimeoutError:
        breaker.probed("the probe got no answer", kit.clock.monotonic())
    else:
        breaker.probed(None, kit.clock.monotonic())
        kit.log.info("the API works again")
        for holding in ownership:
            holding.dispatcher.poke()
        return
    kit.log.warning("the API still does not work", reason=breaker.reason)
