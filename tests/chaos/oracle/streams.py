"""Rules for single streams: the config first and right, and the audio of one call in a row."""

from collections.abc import Iterator, Mapping

from tests.chaos.oracle.case import Case
from tests.chaos.oracle.facts import Complaint, Facts, Stream

_BLAMELESS = ("OK", "CANCELLED", None)


def complaints(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """About every stream."""
    for stream in facts.streams:
        yield from _configured(stream, cases)
        yield from _whole(stream)


def _configured(stream: Stream, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    if stream.status not in _BLAMELESS and not stream.faults:
        yield Complaint("config", f"stream {stream.pid}: {stream.status} {stream.detail}")
    if not stream.pieces:
        return
    if stream.rate is None:
        yield Complaint("config", f"stream {stream.pid} has audio, but no config")
    for call in {piece.call for piece in stream.pieces if piece.call is not None}:
        if call in cases and stream.rate not in (None, cases[call].call.rate):
            yield Complaint("config", f"stream {stream.pid} of call {call} is at {stream.rate} Hz")


def _whole(stream: Stream) -> Iterator[Complaint]:
    strange = any(piece.call is None for piece in stream.pieces)
    if strange or len(stream.pieces) > 1:
        text = ", ".join(f"{piece.call}: {piece.start} to {piece.end}" for piece in stream.pieces)
        yield Complaint("foreign", f"stream {stream.pid} carried pieces of calls: {text[:500]}")
