"""Decides: pure state and pure functions. No loop, no clock, no log, no wire."""
