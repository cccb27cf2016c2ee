"""How long a session's audio waits on its way, for the metrics alone: nothing is decided by it."""

from consumer.core.intake import Intake
from consumer.core.outflow import Outflow
from consumer.model import Milliseconds


class Delays:
    """Of one session."""

    def __init__(self, intake: Intake, outflow: Outflow) -> None:
        self._intake = intake
        self._outflow = outflow

    @property
    def audio_ms(self) -> int:
        """Call time taken in so far."""
        return self._intake.timeline.milliseconds(self._intake.tape.end)

    @property
    def captured_at(self) -> Milliseconds | None:
        """When the audio was captured that the open stream took last, None when that is unknown."""
        stream = self._outflow.stream
        if stream is None or stream.taken <= max(stream.base, self._outflow.judgement.judged):
            return None
        return self._intake.tape.records(stream.taken - 1, stream.taken)[2]

    def waited(self, frame: int, now: float) -> float | None:
        """Seconds since the audio before this frame was handed to the open stream."""
        stream = self._outflow.stream
        at = None if stream is None else stream.handed_at(frame)
        return None if at is None else now - at
