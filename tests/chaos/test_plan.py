"""Plans come from the seed alone, and have all kinds."""

from collections import Counter

import pytest

from tests.chaos.plan import KINDS, Kind, draw


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_at_least_once(seed: int) -> None:
    """In order of time, while calls are fed, and with somebody added before one is removed."""
    faults = draw(seed, 180)
    kinds = [fault.kind for fault in faults]
    assert set(kinds) == set(KINDS)
    assert faults == sorted(faults, key=lambda fault: fault.at)
    assert all(10 <= fault.at <= 150 for fault in faults)
    assert kinds.index("add") < kinds.index("remove")


def test_a_seed_is_a_plan() -> None:
    """The same seed, the same plan; another seed, another one."""
    assert draw(5, 180) == draw(5, 180)
    assert draw(5, 180) != draw(6, 180)


def test_longer_runs_have_more() -> None:
    """An hour has many of each kind, but for those that change how many consumers there are."""
    counts = Counter(fault.kind for fault in draw(5, 3600))
    assert min(counts[kind] for kind in KINDS if kind not in ("add", "remove")) > 10
    assert (counts["add"], counts["remove"]) == (1, 1)


def test_one_kind_alone() -> None:
    """A run can be asked for one kind only, or for none."""
    kinds: tuple[Kind, ...] = ("zombie",)
    assert {fault.kind for fault in draw(1, 60, kinds)} == {"zombie"}
    assert draw(1, 60, ()) == []
