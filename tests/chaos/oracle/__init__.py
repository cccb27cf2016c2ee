"""Says what was promised and not kept. It imports nothing of the service, and nothing that does."""
