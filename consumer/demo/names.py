"""What the demo calls its topics and its group.

On the embedded broker, which forgets everything, they are the plain names that the documentation
uses. On somebody's Kafka they end in something that nobody else has, so that a demo never reads or
writes what is not its own.
"""

import secrets
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Names:
    """Of the topics for audio, results and session events, and of the consumer group."""

    input: str = "call-audio"
    results: str = "detection-results"
    sessions: str = "detection-sessions"
    group: str = "detection-consumer"

    @classmethod
    def unique(cls) -> Self:
        """Names that no earlier demo had."""
        mark = secrets.token_hex(4)
        plain = cls()
        return cls(*(f"{name}-demo-{mark}" for name in (*plain.topics, plain.group)))

    @property
    def topics(self) -> tuple[str, str, str]:
        """Of the three topics."""
        return (self.input, self.results, self.sessions)
