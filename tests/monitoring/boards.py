"""What the dashboards show: for who is on call, and of a call's way."""

from typing import Final

from tests.monitoring.kafka_board import KAFKA
from tests.monitoring.panels import Dashboard, Panel, half_and_most, rate, spread

_RESULT: Final = "detection_consumer_result_delay_seconds"

OVERVIEW: Final = Dashboard(
    "overview",
    "Detection consumer: overview",
    "For whoever is on call: are calls being judged, and if not, why.",
    (
        (
            "Now",
            (
                Panel(
                    "Calls",
                    "Sessions in memory, all replicas.",
                    "short",
                    (("sum(detection_consumer_sessions_live)", "calls"),),
                    "stat",
                ),
                Panel(
                    "Streams",
                    "Open streams to the API. Fewer than calls: some wait.",
                    "short",
                    (("sum(detection_consumer_streams_open)", "streams"),),
                    "stat",
                ),
                Panel(
                    "API",
                    "1 while no stream may be opened.",
                    "short",
                    (("max(detection_consumer_breaker_open)", "breaker open"),),
                    "stat",
                ),
                Panel(
                    "Oldest unsettled",
                    "How long the oldest record has waited for its result.",
                    "s",
                    (("max(detection_consumer_oldest_unsettled_seconds)", "oldest"),),
                    "stat",
                ),
                Panel(
                    "Behind",
                    "Age of the newest record taken where there are more.",
                    "s",
                    (("max(detection_consumer_lag_seconds)", "behind"),),
                    "stat",
                    quiet=True,
                ),
            ),
        ),
        (
            "Calls in, results out",
            (
                Panel(
                    "Audio",
                    "Seconds of call audio a second: as many as there are callers.",
                    "short",
                    (
                        (f"sum({rate('audio_received_seconds')})", "received"),
                        (f"sum({rate('audio_sent_seconds')})", "sent to the API"),
                        (f"sum({rate('audio_judged_seconds')})", "judged"),
                    ),
                ),
                Panel(
                    "Results",
                    "By what they say.",
                    "short",
                    (
                        (
                            f"sum by (level, label) ({rate('results_published')})",
                            "{{level}} {{label}}",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Trouble",
            (
                Panel(
                    "Broken streams",
                    "By the status with which they ended.",
                    "short",
                    ((f"sum by (code) ({rate('streams_broken')}) > 0", "{{code}}"),),
                    quiet=True,
                ),
                Panel(
                    "Dead letters",
                    "By reason. They hold call audio.",
                    "short",
                    ((f"sum by (reason) ({rate('dead_letters')}) > 0", "{{reason}}"),),
                    quiet=True,
                ),
                Panel(
                    "Event loop",
                    "How late each replica's loop is. Above a second it needs more CPU.",
                    "s",
                    (("detection_consumer_loop_delay_seconds", "{{instance}}"),),
                ),
            ),
        ),
    ),
)

FLOW: Final = Dashboard(
    "flow",
    "Detection consumer: a call's way",
    "Where the time goes between the caller's mouth and the results topic.",
    (
        (
            "Delays",
            (
                Panel(
                    "Captured until sent",
                    "From capture, or the record's time stamp, until a stream takes the audio.",
                    "s",
                    half_and_most("detection_consumer_intake_delay_seconds"),
                ),
                Panel(
                    "Sent until judged",
                    "From handing the last audio of a result to the stream until it comes.",
                    "s",
                    half_and_most("detection_consumer_verdict_delay_seconds"),
                ),
                Panel(
                    "Published",
                    "From handing records to the brokers until they are acknowledged.",
                    "s",
                    half_and_most("detection_consumer_publish_seconds"),
                ),
                Panel(
                    "In all",
                    "From capture until the result goes out, by level.",
                    "s",
                    (
                        (
                            spread("detection_consumer_result_delay_seconds", 0.99, "level"),
                            "{{level}}",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Streams",
            (
                Panel(
                    "Opened and broken",
                    "Each broken stream is one that is opened again.",
                    "short",
                    (
                        (f"sum({rate('streams_opened')})", "opened"),
                        (f"sum({rate('streams_broken')})", "broken"),
                    ),
                ),
                Panel(
                    "Audio a message",
                    "Small frames are joined on their way to the API.",
                    "s",
                    (
                        (
                            f"sum({rate('audio_sent_seconds')}) / sum({rate('audio_messages')})",
                            "seconds",
                        ),
                    ),
                ),
                Panel(
                    "Memory",
                    "Audio that is kept until it is judged.",
                    "bytes",
                    (("sum by (instance) (detection_consumer_held_bytes)", "{{instance}}"),),
                ),
                Panel(
                    "Read again",
                    "Audio that was forgotten, and read again.",
                    "Bps",
                    (
                        (f"sum({rate('audio_forgotten_bytes')})", "forgotten"),
                        (f"sum({rate('audio_replayed_bytes')})", "read again"),
                    ),
                    quiet=True,
                ),
            ),
        ),
        (
            "Gaps",
            (
                Panel(
                    "Sequence numbers",
                    "Chunks that came twice, and numbers that never came.",
                    "short",
                    (
                        (f"sum({rate('chunks_repeated')})", "repeated"),
                        (f"sum({rate('chunks_missing')})", "missing"),
                    ),
                    quiet=True,
                ),
            ),
        ),
    ),
)

DASHBOARDS: Final = (OVERVIEW, FLOW, KAFKA)
