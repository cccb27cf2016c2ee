"""What shall go wrong, for whom and when: faults on demand.

A rule is a line of words, the same on the command line, over REST and in the request header
`x-sandbox-fault`: what happens, and to whom, parted by semicolons.

    unavailable-after=2.5             status UNAVAILABLE once the stream has sent 2.5 s of audio
    invalid-argument-after=1          any gRPC status can be named like this
    unauthenticated-after=0           0 means at once: these credentials are refused
    out-of-range-after=300            no stream may be longer than five minutes
    ok-after=3                        the server ends the stream before the caller's half-close
    cut-after=1                       the TCP connection breaks, with all streams on it
    stop-reading-after=2              the server reads no more, until the rule is taken back (it
                                      stays when the stream brought it in its header)
    delay-results=1.5                 results, and the final OK, come this many seconds late
    max-streams=10                    further streams get RESOURCE_EXHAUSTED

    stream=0                          only for the first stream (streams count from 0)
    cid=7, session=call-1             only for this project, or this value of `x-session-id`
    rate=11025                        only for streams of this sample rate
    probability=0.1                   only for one in ten streams, drawn by seed and number

The protocol doesn't tell which session a stream belongs to, hence these ways to choose. Seconds are
seconds of audio received. A moment acts with the message that reaches it: the message is received
and audited, but not analysed. Rules hold for open streams too, from their next message on.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc

from consumer.sandbox.errors import Misused

CUT = "cut"
STOP_READING = "stop-reading"

_AFTER = "-after"
_STATUSES = {code.name.lower().replace("_", "-"): code.name for code in grpc.StatusCode}


class Caller(NamedTuple):
    """What a rule can tell streams apart by. number: how many streams came before. rate: in Hz."""

    number: int
    cid: int
    session: str | None
    rate: int | None = None


class Moment(NamedTuple):
    """Something that happens once `after` seconds of audio were received.

    what: the name of a gRPC status, or CUT or STOP_READING. rule: its text, for the record.
    """

    after: float
    what: str
    rule: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens and to whom; None means any, or no limit. delay in seconds."""

    text: str
    moments: tuple[Moment, ...] = ()
    delay: float = 0.0
    max_streams: int | None = None
    stream: int | None = None
    cid: int | None = None
    session: str | None = None
    rate: int | None = None
    probability: float = 1.0

    def meets(self, caller: Caller, seed: int) -> bool:
        """The rule is meant for this stream."""
        return (
            self.stream in (None, caller.number)
            and self.cid in (None, caller.cid)
            and self.session in (None, caller.session)
            and self.rate in (None, caller.rate)
            and _draw(f"{seed}/{self.text}/{caller.number}") < self.probability
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to happen to one stream."""

    moments: tuple[Moment, ...] = ()
    delay: float = 0.0
    max_streams: int | None = None

    def due(self, seconds: float) -> Moment | None:
        """The earliest moment that lies at or before `seconds` of audio."""
        return min((one for one in self.moments if one.after <= seconds), default=None)


@dataclass(slots=True)
class Faults:
    """The rules in force, by number; they may change at any time."""

    seed: int = 0
    rules: dict[int, Rule] = field(default_factory=dict)
    version: int = 0
    _added: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, rule: Rule) -> int:
        """Put a rule in force; returns its number."""
        number = self._added
        self._added += 1
        self.rules[number] = rule
        self._note()
        return number

    def remove(self, number: int) -> bool:
        """Take a rule back; False when there is none of this number."""
        found = self.rules.pop(number, None) is not None
        self._note()
        return found

    def clear(self) -> None:
        """Take all rules back."""
        self.rules.clear()
        self._note()

    def plan(self, caller: Caller, own: Sequence[Rule] = ()) -> Plan:
        """What the rules in force, and those the stream brought itself, mean for a stream."""
        rules = [rule for rule in (*self.rules.values(), *own) if rule.meets(caller, self.seed)]
        limits = [rule.max_streams for rule in rules if rule.max_streams is not None]
        return Plan(
            tuple(moment for rule in rules for moment in rule.moments),
            max((rule.delay for rule in rules), default=0.0),
            min(limits, default=None),
        )

    async def change(self) -> None:
        """Wait until the rules change."""
        await self._changed.wait()

    def _note(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()


def parse_rule(text: str) -> Rule:
    """Read a rule. Raises Misused with a text that says what is wrong."""
    words = _words(text)
    moments = tuple(
        Moment(_number(name, value), _what(name), text)
        for name, value in words.items()
        if name.endswith(_AFTER)
    )
    rest = {name: value for name, value in words.items() if not name.endswith(_AFTER)}
    if unknown := rest.keys() - _OTHERS:
        raise Misused(f"fault {text!r}: {min(unknown)!r} is not known")
    rule = Rule(
        text,
        moments,
        delay=_number("delay-results", rest.get("delay-results", "0")),
        max_streams=_count("max-streams", rest),
        stream=_count("stream", rest),
        cid=_count("cid", rest),
        session=rest.get("session"),
        rate=_count("rate", rest),
        probability=_number("probability", rest.get("probability", "1")),
    )
    if not moments and not rule.delay and rule.max_streams is None:
        raise Misused(f"fault {text!r} does not say what is to happen")
    return rule


_OTHERS = {"delay-results", "max-streams", "stream", "cid", "session", "rate", "probability"}


def _words(text: str) -> Mapping[str, str]:
    words: dict[str, str] = {}
    for word in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not value:
            raise Misused(f"fault {text!r}: {word!r} is not of the form name=value")
        if name in words:
            raise Misused(f"fault {text!r}: {name!r} is given twice")
        words[name] = value
    return words


def _what(name: str) -> str:
    what = name.removesuffix(_AFTER)
    if what in (CUT, STOP_READING):
        return what
    if what not in _STATUSES:
        raise Misused(f"fault {name!r}: {what!r} is neither a gRPC status, cut nor stop-reading")
    return str(_STATUSES[what])


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise Misused(f"fault {name}={value}: {value!r} is not a number") from error
    if not 0 <= number < float("inf"):
        raise Misused(f"fault {name}={value}: {value!r} is not a number from 0 on")
    return number


def _count(name: str, words: Mapping[str, str]) -> int | None:
    value = words.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise Misused(f"fault {name}={value}: {value!r} is not a whole number from 0 on")
    return int(value)


def _draw(text: str) -> float:
    """A number in [0, 1) that depends on nothing but the text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
