"""Mutants of the engine: each makes it move something too early, too late or twice."""

from tests.mutants.mutant import Mutant

ENGINE: tuple[Mutant, ...] = ()
