"""Touches: one foreign library each, none knows another."""
