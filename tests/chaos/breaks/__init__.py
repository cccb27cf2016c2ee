"""Consumers broken on purpose, to see that the oracle notices: `python -m tests.chaos.breaks`."""
