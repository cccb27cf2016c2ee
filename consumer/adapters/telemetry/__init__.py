"""Logs by structlog, metrics by OpenTelemetry."""
