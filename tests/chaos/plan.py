"""What shall go wrong, when and for whom: drawn from a seed before the run starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Kind = Literal[
    "kill",  # a consumer, with SIGKILL, and start it again
    "deploy",  # one consumer after the other is asked to end and started again
    "zombie",  # a consumer stands still for longer than its session, then goes on
    "add",  # one more consumer
    "remove",  # ask a consumer to end for good
    "broker",  # kill one, start it again
    "leaders",  # move them all away from one broker, and back
    "cut",  # the API's connections, all or one
    "delay",  # everything between consumers and API
    "deaf",  # the API reads no more from some streams
    "early-ok",  # the API says OK to some before we have ended
    "failing",  # the API answers some with UNAVAILABLE
    "api",  # kill it, start it again
    "refuse",  # our credentials
]
KINDS: tuple[Kind, ...] = get_args(Kind)

FED: tuple[str, ...] = ("poison", "reuse", "late end")
"""What goes wrong by how the calls are fed."""

_WARM_SECONDS = 15.0
_GAP_SECONDS = 7.5
_LAST = 0.8


@dataclass(frozen=True, slots=True)
class Fault:
    """at: seconds after the run's start. whom: a number to choose by. seconds: how long."""

    at: float
    kind: Kind
    whom: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.kind}, {self.seconds:.1f} s, whom {self.whom}"


def draw(seed: int, seconds: float, kinds: Sequence[Kind] = KINDS) -> list[Fault]:
    """The faults of a run that lasts so long, in order: each kind once, then what chance wants."""
    if not kinds:
        return []
    chance = Random(f"{seed}/faults")
    first, last = min(_WARM_SECONDS, seconds / 6), seconds * _LAST
    count = max(len(kinds), int((last - first) / _GAP_SECONDS))
    gap = (last - first) / count
    return [
        Fault(
            at=round(first + gap * (place + chance.uniform(0, 0.7)), 1),
            kind=kind,
            whom=chance.randrange(1000),
            seconds=round(chance.uniform(2.0, 6.0), 1),
        )
        for place, kind in enumerate(_kinds(chance, kinds, count))
    ]


def _kinds(chance: Random, kinds: Sequence[Kind], count: int) -> list[Kind]:
    """Who is added is there before somebody is removed."""
    drawn = chance.sample(kinds, len(kinds))
    if "add" in drawn and "remove" in drawn:
        first, last = sorted((drawn.index("add"), drawn.index("remove")))
        drawn[first], drawn[last] = "add", "remove"
    again = [kind for kind in kinds if kind not in ("add", "remove")] or list(kinds)
    return [*drawn, *(chance.choice(again) for _ in range(count - len(drawn)))]
