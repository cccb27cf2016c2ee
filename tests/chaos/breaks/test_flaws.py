"""The breaks fit the code as it is."""

import ast

import pytest

from tests.chaos.breaks.__main__ import trials
from tests.chaos.breaks.flaw import Flaw
from tests.chaos.breaks.flaws import FLAWS
from tests.mutants.workshop import ROOT

by_name = pytest.mark.parametrize("flaw", FLAWS, ids=[flaw.name for flaw in FLAWS])


@by_name
def test_a_break_is_another_program(flaw: Flaw) -> None:
    """Its original texts are there once, and what comes out is Python that says something else."""
    for mutant in flaw.mutants():
        before = ast.parse((ROOT / mutant.file).read_text())
        after = ast.parse(mutant.applied(ROOT))
        assert ast.dump(before) != ast.dump(after)


def test_every_scene_is_played_without_a_break_too() -> None:
    """Else the oracle might complain of the scene and not of the break."""
    played = trials(FLAWS)
    sound = {(one.scene.name, one.exactly_once) for one in played if one.flaw is None}
    broken = [(one.scene.name, one.exactly_once) for one in played if one.flaw is not None]
    assert len(broken) == len(FLAWS) == len({flaw.name for flaw in FLAWS})
    assert sound == set(broken)
