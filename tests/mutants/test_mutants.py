"""The mutants fit the code as it is."""

import ast
import gc
from collections.abc import Iterator

import pytest

from tests.mutants.__main__ import MUTANTS
from tests.mutants.mutant import Mutant, Stale
from tests.mutants.workshop import ROOT

by_name = pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage goes meanwhile.

    An exception that nobody fetched is logged when it goes, for which Python 3.11 parses source;
    inside another parsing that ends in SystemError.
    """
    gc.disable()
    yield
    gc.enable()


@by_name
@pytest.mark.usefixtures("uncollected")
def test_a_mutant_is_another_program(mutant: Mutant) -> None:
    """Its original text is there once, and what comes out is Python that says something else."""
    before = ast.parse((ROOT / mutant.file).read_text())
    after = ast.parse(mutant.applied(ROOT))
    assert ast.dump(before) != ast.dump(after)


@by_name
def test_a_mutant_names_tests_that_exist(mutant: Mutant) -> None:
    """Else nobody could notice it."""
    assert mutant.tests
    assert all((ROOT / file).is_file() for file in mutant.tests)


def test_no_two_mutants_have_one_name() -> None:
    """The table would not tell them apart."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_mutant_that_does_not_fit_is_stale() -> None:
    """It says so instead of planting nothing."""
    mutant = Mutant(
        name="gone",
        file="consumer/model.py",
        original="this text is nowhere",
        replacement="",
        breaks="nothing",
        tests=(),
    )
    with pytest.raises(Stale, match="gone: the original text is 0 times in"):
        mutant.applied(ROOT)
