"""Sets of frames as sorted spans without overlap."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """From `start` up to `end`."""

    start: int
    end: int


def union(spans: Iterable[Span]) -> list[Span]:
    """What lies in any of them."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def holes(whole: Span, covered: Iterable[Span], slack: int = 0) -> list[Span]:
    """What of `whole` is not covered, without holes of `slack` frames or less."""
    left: list[Span] = []
    at = whole.start
    for span in union(covered):
        if span.start > at:
            left.append(Span(at, min(span.start, whole.end)))
        at = max(at, span.end)
        if at >= whole.end:
            break
    left.append(Span(at, whole.end))
    return [span for span in left if span.end - span.start > slack]


def length(spans: Sequence[Span]) -> int:
    """Frames in all of them."""
    return sum(max(0, span.end - span.start) for span in spans)
