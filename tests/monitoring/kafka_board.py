"""What the Kafka dashboard shows."""

from typing import Final

from tests.monitoring.panels import Dashboard, Panel, rate, spread

KAFKA: Final = Dashboard(
    "kafka",
    "Detection consumer: Kafka",
    "Partitions, offsets, commits and owners.",
    (
        (
            "Partitions",
            (
                Panel(
                    "Lag",
                    "Records between our position and the end.",
                    "short",
                    (("sum by (partition) (detection_consumer_lag_records)", "{{partition}}"),),
                    quiet=True,
                ),
                Panel(
                    "Unsettled",
                    "Records that wait for their result; a crash reads them again.",
                    "short",
                    (
                        (
                            "sum by (partition) (detection_consumer_unsettled_records)",
                            "{{partition}}",
                        ),
                    ),
                ),
                Panel(
                    "Offsets",
                    "How fast position and committed offset move.",
                    "short",
                    (
                        (
                            "sum(deriv(detection_consumer_position_offset[$__rate_interval]))",
                            "read",
                        ),
                        (
                            "sum(deriv(detection_consumer_committed_offset[$__rate_interval]))",
                            "committed",
                        ),
                    ),
                ),
                Panel(
                    "States",
                    "Partitions by the state that they are in.",
                    "short",
                    (("sum by (state) (detection_consumer_partition_state)", "{{state}}"),),
                ),
            ),
        ),
        (
            "Writing",
            (
                Panel(
                    "Records",
                    "Read and published.",
                    "short",
                    (
                        (
                            "sum(rate(messaging_client_consumed_messages_total[$__rate_interval]))",
                            "read",
                        ),
                        (
                            "sum(rate(messaging_client_sent_messages_total[$__rate_interval]))",
                            "published",
                        ),
                    ),
                ),
                Panel(
                    "Commits",
                    "Of offsets, or of whole transactions.",
                    "short",
                    ((f"sum({rate('commits')})", "commits"),),
                ),
                Panel(
                    "Failed commits",
                    "They are tried again at the next interval.",
                    "short",
                    ((f"sum({rate('commit_failures')})", "failures"),),
                    quiet=True,
                ),
                Panel(
                    "Time of a commit",
                    "Of offsets, or of a whole transaction.",
                    "s",
                    ((spread("messaging_client_operation_duration_seconds", 0.99), "99 of 100"),),
                ),
            ),
        ),
        (
            "Owners",
            (
                Panel(
                    "Owned",
                    "Partitions by replica.",
                    "short",
                    (("detection_consumer_partitions_owned", "{{instance}}"),),
                    quiet=True,
                ),
                Panel(
                    "Changes of hands",
                    "Assignments, and what they brought.",
                    "short",
                    (
                        ("sum(increase(detection_consumer_rebalances_total[5m]))", "assignments"),
                        (
                            "sum(increase(detection_consumer_sessions_restored_total[5m]))",
                            "calls taken over",
                        ),
                        (
                            "sum(increase(detection_consumer_partitions_retaken_total[5m]))",
                            "taken anew",
                        ),
                    ),
                    quiet=True,
                ),
            ),
        ),
    ),
)
