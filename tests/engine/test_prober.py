"""While the breaker is open the API is probed, without any call's audio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.codec.records import decode_chunk
from consumer.core.breaker import BreakerState
from consumer.engine.ownership import Ownership
from consumer.engine.prober import probe_for_ever
from consumer.engine.replayer import Replayer
from consumer.errors import Fault, StreamFailed
from consumer.model import Partition, SessionKey
from tests.engine.stand import CALLS, Stand, settle_down, virtual_time

pytestmark = virtual_time

UNAVAILABLE = StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away")
UNAUTHENTICATED = StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "bad token")


@asynccontextmanager
async def probing() -> AsyncIterator[tuple[Stand, Ownership]]:
    """A prober at work."""
    stand = Stand()
    async with stand.kitted() as kit:
        ownership = Ownership(kit, Replayer(kit))
        await stand.source.start(ownership.assigned, ownership.revoked)
        kit.spawn(probe_for_ever(kit, ownership), "prober")
        await settle_down()
        yield stand, ownership
        await ownership.revoked((Partition(CALLS, 0),), True)


def refuse(stand: Stand) -> None:
    """A session is refused, which opens the breaker."""
    stand.breaker.failed(
        SessionKey("call"), Fault.SETTINGS, "UNAUTHENTICATED: bad token", stand.clock.monotonic()
    )


def probes(stand: Stand) -> int:
    """Probes so far."""
    return stand.api.script.calls.count("probe")


async def test_while_the_api_works_nobody_probes() -> None:
    """A closed breaker costs nothing."""
    async with probing() as (stand, _):
        await asyncio.sleep(3600)
        assert probes(stand) == 0
        assert stand.metrics.values["breaker_open"] == 0
        assert stand.log.events() == ["partitions assigned", "partition taken"]


async def test_an_open_breaker_is_said_once_and_closed_by_a_good_probe() -> None:
    """A person hears when the API breaks and when it works again."""
    async with probing() as (stand, _):
        refuse(stand)
        await asyncio.sleep(0.6)
        assert stand.metrics.values["breaker_open"] == 1
        assert stand.log.events("error") == ["the API seems broken, no streams are opened"]
        await asyncio.sleep(10)
        assert probes(stand) == 1
        assert stand.breaker.allows
        assert stand.metrics.values["breaker_open"] == 0
        assert stand.log.events("info")[-1] == "the API works again"
        assert stand.log.events("error") == ["the API seems broken, no streams are opened"]


async def test_probes_that_fail_are_repeated_with_growing_pauses() -> None:
    """The breaker stays open, and the API is not hammered while it is down."""
    async with probing() as (stand, _):
        stand.api.script.fail("probe", *(UNAVAILABLE for _ in range(1000)))
        refuse(stand)
        await asyncio.sleep(60)
        first = probes(stand)
        assert first >= 3
        assert not stand.breaker.allows
        assert stand.breaker.reason == "UNAVAILABLE: going away"
        assert not stand.breaker.refused
        await asyncio.sleep(540)
        assert 15 <= probes(stand) - first <= 40, "half a minute apart at most"


async def test_credentials_that_are_still_refused_stay_known_as_such() -> None:
    """The operator has to act, and is told what the API says."""
    async with probing() as (stand, _):
        stand.api.script.fail("probe", UNAUTHENTICATED)
        refuse(stand)
        await stand.until(lambda: probes(stand) == 1)
        await settle_down()
        assert stand.breaker.refused
        assert stand.breaker.reason == "UNAUTHENTICATED: bad token"
        assert stand.log.events("warning") == ["the API still does not work"]


async def test_a_probe_without_an_answer_fails_in_time() -> None:
    """The API that accepts and says nothing is as broken as one that is down."""
    async with probing() as (stand, _):
        answer = stand.api.script.hold("probe")
        refuse(stand)
        await stand.until(lambda: probes(stand) == 1)
        assert stand.breaker.state.value == "probing"
        await asyncio.sleep(11)
        assert stand.breaker.reason == "the probe got no answer"
        assert stand.breaker.state is BreakerState.OPEN
        answer.set()
        await stand.until(lambda: stand.breaker.allows)


async def test_sessions_go_on_when_the_api_works_again() -> None:
    """Those that are parked are told at once, not at the next audio."""
    async with probing() as (stand, ownership):
        [holding] = ownership
        refuse(stand)
        stand.api.script.fail("probe", UNAUTHENTICATED, UNAUTHENTICATED)
        for record in stand.speak(seconds=1):
            chunk = decode_chunk(record, stand.defaults)
            holding.dispatcher.route(record, chunk, stand.clock.wall_ms())
        await settle_down()
        assert not stand.api.streams
        await stand.until(lambda: stand.breaker.allows)
        assert probes(stand) == 3
        await stand.until(lambda: stand.api.streams, within=1)
