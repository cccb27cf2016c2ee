"""Everything breaks at once, and an oracle says what was not kept: `python -m tests.chaos`."""
