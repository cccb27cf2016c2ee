"""Short runs, each with the one fault under which a break must show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.plan import Fault, Kind


@dataclass(frozen=True, slots=True)
class Scene:
    """faults: in order of time. lengths: of calls, from and to, in seconds. settings: for the
    consumers, without the prefix.
    """

    name: str
    faults: tuple[Fault, ...]
    seconds: int = 32
    replicas: int = 2
    sessions: int = 10
    lengths: tuple[int, int] = (25, 80)
    settings: Mapping[str, object] = field(default_factory=dict)


def _faults(kind: Kind, *times: float, seconds: float = 2.0) -> tuple[Fault, ...]:
    return tuple(
        Fault(at=at, kind=kind, whom=2 * number, seconds=seconds) for number, at in enumerate(times)
    )


CALM = Scene("calm", ())
CUTS = Scene("cuts", _faults("cut", 9.0, 14.0, 19.0))
DEAF = Scene(
    "a deaf server",
    _faults("deaf", 6.0, seconds=22.0),
    # Speech and the longest pause between are shorter, so that no utterance is cut.
    settings={"API__HORIZON_SECONDS": 14, "API__STALL_TIMEOUT_SECONDS": 60},
)
DEPLOY = Scene("a rolling deploy", _faults("deploy", 9.0))
EARLY = Scene("an early OK", _faults("early-ok", 8.0, 13.0, 18.0, seconds=2.0))
KILL = Scene("kills", _faults("kill", 10.0, 18.0))
SHORT = Scene("kills among short calls", _faults("kill", 12.0, 20.0), sessions=30, lengths=(6, 12))
# Many calls: whoever takes over must have gone on before the zombie is back, or nothing rewinds.
ZOMBIE = Scene("a zombie", _faults("zombie", 8.0), seconds=36, sessions=24)
