"""The whole job on one machine: broker, sandbox, consumer and calls."""
