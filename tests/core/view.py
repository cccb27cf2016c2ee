"""What a driven session has done so far."""

from collections import deque

from consumer.model import Offset, Publication, SessionResult
from tests.core.api import SimStream
from tests.core.oracle import Oracle


class View:
    """Looks at what the oracle has noted."""

    oracle: Oracle

    @property
    def closed(self) -> bool:
        """The session is over."""
        return self.oracle.closed

    @property
    def stream(self) -> SimStream | None:
        """The open stream, if any."""
        return self.oracle.stream

    @property
    def open_stream(self) -> SimStream:
        """The open stream."""
        return self.oracle.open_stream

    @property
    def streams(self) -> list[SimStream]:
        """All streams so far."""
        return self.oracle.streams

    @property
    def asked(self) -> deque[Offset]:
        """Forgotten records that the session has asked for."""
        return self.oracle.asked

    @property
    def dead(self) -> dict[Offset, str]:
        """Dead letters with their reasons."""
        return self.oracle.dead

    @property
    def settled_below(self) -> Offset:
        """Where the session's settled records end."""
        return self.oracle.settled_below

    @property
    def published(self) -> list[Publication]:
        """All that was published."""
        return self.oracle.published

    @property
    def results(self) -> list[SessionResult]:
        """All results published."""
        return self.oracle.results
