"""Translates between bytes and words. Pure."""
