"""Rules for results: where they lie, in which order they come, and that none lacks."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from tests.chaos.oracle.case import Case, Finding, Stretch
from tests.chaos.oracle.facts import Complaint, Facts, Result
from tests.chaos.oracle.spans import Span, holes
from tests.chaos.sound.speech import RATE

FRAME_SECONDS = 0.032
"""One frame of the API's voice activity model."""

_LEVELS = ("segment", "utterance")
_FRAME = round(FRAME_SECONDS * RATE)
_DOUBTFUL = _FRAME + RATE // 2
"""The edge of speech may go unnoticed for so long where the API's seconds are not the call's: a
second counts with 250 ms of voice in it, and speech does not begin with voice all through.
"""

_MESSAGE = RATE
"""More than is sent in one message."""
_SEGMENT = 2 * RATE
"""Where the API broke off, the next stream's first segment overlaps what was told: a drop."""


def complaints(facts: Facts, cases: Mapping[int, Case]) -> Iterator[Complaint]:
    """About the results of every call."""
    for case in cases.values():
        if case.call.poisoned:
            continue
        known = {stretch.stream.pid: stretch for stretch in case.stretches}
        for finding in case.findings:
            yield from _kept(facts, case, finding.result)
            yield from _placed(case, known.get(finding.result.pid), finding)
        yield from _complete(case)
        yield from _cut(case)


def _kept(facts: Facts, case: Case, result: Result) -> Iterator[Complaint]:
    """By the contract: the key, the partition and the id."""
    if result.session != case.call.key or result.partition != case.call.partition:
        where = f"{result.session} on {result.partition}"
        yield Complaint("contract", f"{case.name}: a result is under {where}")
    if result.id != result_id(facts.topic, result):
        yield Complaint("contract", f"{case.name}: {_told(result)} has a wrong id")


def _placed(case: Case, stretch: Stretch | None, finding: Finding) -> Iterator[Complaint]:
    """In what its stream carried, and where somebody speaks."""
    what = f"{case.name}: {_told(finding.result)}"
    if stretch is None:
        yield Complaint("mistimed", f"{what}: that stream carried none of this call")
        return
    start, end = finding.span
    if start < stretch.span.start - _FRAME or end > stretch.span.end + _FRAME:
        carried = f"{stretch.span.start / RATE:.3f} to {stretch.span.end / RATE:.3f} s"
        yield Complaint("mistimed", f"{what}: its stream carried {carried}")
    elif not any(_fits(case, spoken, stretch, finding) for spoken in _spoken(case)):
        yield Complaint("mistimed", f"{what}: the feeder put speech elsewhere: {case.call.spoken}")


def _fits(case: Case, spoken: Span, stretch: Stretch, finding: Finding) -> bool:
    """Within one stretch of speech; an utterance is all of it that its stream carried."""
    slack = _FRAME if _in_step(stretch) else _FRAME + RATE
    (start, end), (begun, over) = finding.span, stretch.span
    if start < spoken.start - slack or end > spoken.end + slack:
        return False
    if finding.result.level != "utterance":
        return True
    first, last = max(spoken.start, begun), min(spoken.end, over)
    begins = abs(start - first) <= slack or _follows(case, finding)
    return begins and (abs(end - last) <= slack or _broken_off(stretch, end))


def _follows(case: Case, finding: Finding) -> bool:
    """It begins where an utterance ends that the API broke off; the rest of it was told then."""
    return any(
        _broken_off(other, earlier.span.end) and abs(earlier.span.end - finding.span.start) <= 1
        for earlier in case.findings
        for other in case.stretches
        if other.stream.pid == earlier.result.pid
    )


def _broken_off(stretch: Stretch, end: int) -> bool:
    """The API has said OK early, and has not listened to the last message before."""
    over = stretch.span.end
    return stretch.stream.broken_off and over - _MESSAGE <= end <= over


def _complete(case: Case) -> Iterator[Complaint]:
    """Every second of speech, at both levels."""
    doubtful = not all(map(_in_step, case.stretches))
    broken_off = any(stretch.stream.broken_off for stretch in case.stretches)
    crossed = [one.span for one in case.crossed()]
    for level in _LEVELS:
        told = [span for result, span in case.findings if result.level == level]
        found = [*told, *crossed]
        slack = _DOUBTFUL if doubtful else _FRAME
        if broken_off and level == "segment":
            slack = _SEGMENT + _FRAME
        for spoken in _spoken(case):
            for hole in holes(spoken, found, slack):
                what = f"{hole.start / RATE:.3f} to {hole.end / RATE:.3f} s"
                yield Complaint("missing", f"{case.name}: no {level} tells of {what}")


def _in_step(stretch: Stretch) -> bool:
    """The API's seconds are the call's, since the stream began on one of them.

    Only an API that ends a stream by itself makes the next one begin elsewhere.
    """
    return stretch.span.start % RATE == 0


def _cut(case: Case) -> Iterator[Complaint]:
    """We end no stream in the middle of the speech."""
    for stream, span in case.stretches:
        inside = any(one.start + _FRAME < span.end < one.end - _FRAME for one in _spoken(case))
        if stream.good and inside and span.end < case.whole.end:
            at = f"{span.end / RATE:.3f} s"
            yield Complaint("cut", f"{case.name}: stream {stream.pid} was half-closed at {at}")


def _spoken(case: Case) -> list[Span]:
    return [Span(one.start * RATE, one.end * RATE) for one in case.call.spoken]


def _told(result: Result) -> str:
    return f"{result.level} {result.start} to {result.end} s of stream {result.pid}"


def result_id(topic: str, result: Result) -> str:
    """As docs/contract.md says."""
    origin = f"{topic}:{result.origin.partition}:{result.origin.offset}"
    times = (str(round(result.start * 1000)), str(round(result.end * 1000)))
    texts = (result.session, origin, result.task, result.level, *times)
    return sha256(b"".join(text.encode() + b"\0" for text in texts)).hexdigest()[:32]
