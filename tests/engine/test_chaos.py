"""Everything goes wrong at random, and still nothing is lost, early, mixed up or out of order."""

import asyncio
import gc

import pytest

from tests.engine.chaos import Chaos
from tests.engine.reckoning import Reckoning

pytestmark = pytest.mark.looptime(noop_cycles=0, start=1)
"""Times are rounded, so a seed tells the same story only if it always begins at the same time."""

SEEDS = 24


@pytest.mark.parametrize("exactly_once", [False, True])
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_goes_wrong_nothing_is_lost_early_or_out_of_order(
    seed: int, exactly_once: bool
) -> None:
    """Commits are checked against an oracle as they happen, the outcome at the end."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    before = asyncio.all_tasks()
    chaos = Chaos(seed, exactly_once=exactly_once)
    await chaos.play()
    Reckoning(chaos).check()
    assert chaos.ledger.commits > 0
    await asyncio.sleep(1)
    assert asyncio.all_tasks() <= before
    gc.collect()
    assert complaints == []
