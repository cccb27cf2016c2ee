"""Says what was promised and not kept, from the outside.

It knows three things: what the feeder sent and where it lies, what the sandbox's audit says the API
received, and what stands on the topics. It imports nothing of the service.

Each stream's audio must be a stretch of one call, which the calls' own noise makes certain. A
stream may begin at or before the place up to which the streams before it are judged, and never
after it: judged is what lies below the end of a published utterance, or was sent to a stream that
the API ended with OK after our half-close. So nothing that the API heard and then forgot, because
it or the connection broke, counts as heard.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from tests.e2e.evidence import Stream
from tests.e2e.feeder import Place, Sent
from tests.e2e.topics import Event, Names, Origin, Result

TOLERANCE_SECONDS = 0.010
"""By the contract two results may overlap so much."""
_MS_SECONDS = 0.001
_HEAD_BYTES = 256


class Stretch(NamedTuple):
    """What a stream carried of a call, in frames."""

    stream: Stream
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that is known when it is over. restarted: consumers came and went, so audio may have
    been heard twice and results been published twice.
    """

    names: Names
    sent: Mapping[str, Sent]
    streams: Sequence[Stream]
    results: Sequence[Result]
    events: Sequence[Event]
    lag: int
    restarted: bool = False
    stretches: dict[str, list[Stretch]] = field(default_factory=lambda: defaultdict(list))


def complaints(found: Findings) -> list[str]:
    """What is not as it must be, in words; empty when all is well."""
    return [*_all(found)]


def _all(found: Findings) -> Iterator[str]:
    if found.lag:
        yield f"{found.lag} records are not committed"
    yield from _assign(found)
    for key, sent in found.sent.items():
        results = [result for result in found.results if result.session == key]
        events = [event for event in found.events if event.session == key]
        for text in (
            *_heard(sent, found.stretches[key], results),
            *_ordered(found, sent, results),
            *_placed(found, sent, results),
            *_told(found, sent, events, results),
        ):
            yield f"{key}: {text}"


def _assign(found: Findings) -> Iterator[str]:
    """Each stream's audio belongs to one call, and the config came before it."""
    for stream in found.streams:
        if stream.config is None and stream.status != "CANCELLED":
            yield f"stream {stream.pid} had no config: {stream.status} {stream.detail}"
        if stream.status not in (None, "OK", "CANCELLED") and not stream.faults:
            yield f"stream {stream.pid} was refused: {stream.status} {stream.detail}"
        audio = stream.audio
        if not audio:
            continue
        for key, sent in found.sent.items():
            place = _find(sent.call.heard, audio)
            if place is not None:
                found.stretches[key].append(Stretch(stream, *place))
                break
        else:
            yield f"stream {stream.pid} carried {len(audio)} bytes that no call has in a row"


def _find(heard: bytes, piece: bytes) -> tuple[int, int] | None:
    """The frames of a call that a stream carried; its first bytes are nowhere else."""
    head, at = piece[:_HEAD_BYTES], -1
    while (at := heard.find(head, at + 1)) >= 0:
        if at % 2 == 0 and heard.startswith(piece, at):
            return at // 2, (at + len(piece)) // 2
    return None


def _heard(sent: Sent, stretches: Sequence[Stretch], results: Sequence[Result]) -> Iterator[str]:
    """Every frame was judged, and every stream began where audio was not judged yet."""
    rate = sent.call.rate
    judged = 0
    for stretch in stretches:
        stream = stretch.stream
        if stream.config and stream.config["sample_rate_hertz"] != rate:
            yield f"stream {stream.pid} was opened at {stream.config['sample_rate_hertz']} Hz"
        if stretch.start > judged + _slack(rate):
            at, reached = stretch.start / rate, judged / rate
            yield f"stream {stream.pid} began at {at:.3f} s, but only {reached:.3f} s were judged"
        judged = max(judged, stretch.end if stream.good else 0)
        for result in results:
            if result.pid == stream.pid and _judges(result):
                end = base(sent, result.origin) + round(result.end * rate)
                judged = max(judged, min(end, stretch.end))
    if judged < sent.frames - _slack(rate):
        yield f"only {judged / rate:.3f} of {sent.frames / rate:.3f} s were judged in the end"


def _ordered(found: Findings, sent: Sent, results: Sequence[Result]) -> Iterator[str]:
    """In order and without overlap, on the partition of the call, with the ids that the contract
    says.
    """
    repeats = [] if found.restarted else dropped(results)
    if repeats:
        yield f"results overlap or came twice: {repeats}"
    for result in results:
        if result.partition != sent.places[0].partition:
            yield f"a result is on partition {result.partition}"
        if result.id != result_id(found.names.input, result):
            yield f"the id of {result.level} {result.start} to {result.end} s is not the contract's"


def dropped(results: Sequence[Result]) -> list[Result]:
    """What a reader drops by the contract's two rules."""
    drops: list[Result] = []
    seen: set[str] = set()
    ends: dict[tuple[Origin, str, str], float] = {}
    for result in results:
        of = (result.origin, result.level, result.task)
        if result.id in seen or result.start < ends.get(of, 0) - TOLERANCE_SECONDS:
            drops.append(result)
        seen.add(result.id)
        ends[of] = max(ends.get(of, 0), result.end)
    return drops


def _placed(found: Findings, sent: Sent, results: Sequence[Result]) -> Iterator[str]:
    """Times lie within what the stream carried, and the records named hold that audio."""
    rate = sent.call.rate
    stretches = found.stretches[sent.call.key]
    known = {stretch.stream.pid: stretch for stretch in stretches}
    for result in results:
        what = f"{result.level} {result.start} to {result.end} s of stream {result.pid}"
        stretch = known.get(result.pid)
        if stretch is None:
            yield f"{what}: that stream heard none of this call"
            continue
        origin = base(sent, result.origin)
        start, end = origin + round(result.start * rate), origin + round(result.end * rate)
        slack = _slack(rate)
        if start < stretch.start - slack or end > stretch.end + slack:
            yield f"{what}: it carried {stretch.start / rate} to {stretch.end / rate} s"
        yield from _under(sent, result, start, end, what)
    yield from _complete(found, sent, stretches, results)


def _under(sent: Sent, result: Result, start: int, end: int, what: str) -> Iterator[str]:
    first, last = result.offsets
    places = {place.offset: place for place in sent.places}
    if first not in places or last not in places:
        yield f"{what}: offsets {first} to {last} are not this call's"
    elif not _holds(sent, places[first], start):
        yield f"{what}: its first record is not {first}"
    elif not _holds(sent, places[last], end - 1):
        yield f"{what}: its last record is not {last}"


def _holds(sent: Sent, place: Place, frame: int) -> bool:
    """The record has the frame, or one that can't be told from it by its time."""
    slack = _slack(sent.call.rate)
    return place.start - slack <= frame < place.start + place.frames + slack


def _complete(
    found: Findings, sent: Sent, stretches: Sequence[Stretch], results: Sequence[Result]
) -> Iterator[str]:
    """All findings are there of a stream that ended well and heard nothing that had been told.

    A consumer that ends may take the last ones with it, if what they are about is heard again.
    """
    told = judged = 0
    slack = _slack(sent.call.rate)
    for number, stretch in enumerate(stretches, 1):
        stream = stretch.stream
        ours = [result for result in results if result.pid == stream.pid]
        fresh = stream.good and stretch.start >= told - slack
        ends = [base(sent, each.origin) + round(each.end * sent.call.rate) for each in ours]
        told = max(told, *ends, 0)
        judged = max(judged, *(e for e, r in zip(ends, ours, strict=True) if _judges(r)), 0)
        again = any(later.start <= judged + slack for later in stretches[number:])
        lost = len(ours) < stream.results and fresh and not (found.restarted and again)
        if lost or (len(ours) > stream.results and stream.status is not None):
            yield f"stream {stream.pid} sent {stream.results} results, not {len(ours)}"


def _judges(result: Result) -> bool:
    return result.level == "utterance"


def _told(
    found: Findings, sent: Sent, events: Sequence[Event], results: Sequence[Result]
) -> Iterator[str]:
    """The session's events: a start for each incarnation, and an end for the last one."""
    starts = [event for event in events if event.kind == "started"]
    ends = [event for event in events if event.kind == "ended"]
    if not starts or (sent.ended and not ends):
        yield f"its events are {[event.kind for event in events]}"
        return
    if len(events) > 2 and not found.restarted:
        yield f"its events are {[event.kind for event in events]}"
    for event in starts:
        if event.resumed != (base(sent, event.origin) > 0):
            yield f"resumed is {event.resumed} for the incarnation at {event.origin}"
    if {result.origin for result in results} - {event.origin for event in starts}:
        yield "results of an incarnation that was not told to have started"
    for event in ends:
        whole = (sent.frames - base(sent, event.origin)) / sent.call.rate
        if abs(event.summary["audio_ms"] / 1000 - whole) > 2 * _MS_SECONDS:
            yield f"its end tells of {event.summary['audio_ms']} ms, not of {whole:.3f} s"
        if not found.restarted and event.summary["results"] != len(results):
            yield f"its end tells of {event.summary['results']} results, not of {len(results)}"


def base(sent: Sent, origin: Origin) -> int:
    """The call's frame at which an incarnation begins. Raises LookupError for a strange place."""
    for place in sent.places:
        if (place.partition, place.offset) == origin:
            return place.start
    raise LookupError(f"{origin} holds no record of {sent.call.key}")


def spoken(sent: Sent, results: Sequence[Result]) -> set[int]:
    """The whole seconds of the call that lie in an utterance."""
    seconds: set[int] = set()
    for result in results:
        if result.level == "utterance":
            start = base(sent, result.origin) / sent.call.rate
            seconds.update(range(int(start + result.start), int(start + result.end + 0.5)))
    return seconds


def result_id(topic: str, result: Result) -> str:
    """As docs/contract.md says."""
    origin = f"{topic}:{result.origin.partition}:{result.origin.offset}"
    times = (str(round(result.start * 1000)), str(round(result.end * 1000)))
    texts = (result.session, origin, result.task, result.level, *times)
    return sha256(b"".join(text.encode() + b"\0" for text in texts)).hexdigest()[:32]


def _slack(rate: int) -> int:
    """Times on the topic are whole milliseconds."""
    return max(1, round(rate * _MS_SECONDS))
