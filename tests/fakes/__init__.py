"""In-memory stand-ins for the world; each passes the suite of the real thing."""
