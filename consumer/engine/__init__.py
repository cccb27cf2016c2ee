"""Moves: asyncio tasks that carry records, audio and results between the ports and the core."""
