"""The roof: builds everything, owns its lifetime."""
