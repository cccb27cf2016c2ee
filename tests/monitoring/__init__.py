"""Alert rules and dashboards, held against the real Prometheus."""
