"""Health over HTTP by aiohttp."""
