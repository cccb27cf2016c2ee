"""Reads the environment and builds the policies."""
