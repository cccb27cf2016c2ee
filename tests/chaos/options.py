"""What a run shall be like."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.calls import LENGTHS, PACE
from tests.chaos.names import CID, TOKEN, Names
from tests.chaos.plan import KINDS, Fault, Kind, draw

SESSION_SECONDS = 8.0
"""After so long without a sign of life a consumer's partitions go to the others."""
GRACE_SECONDS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """seconds: that calls are fed for. sessions: keys in use at the same time. folder: for logs
    and evidence. stem: of topics and group, so that runs may share brokers.

    plan: the faults; drawn from seed and kinds when None. patience: seconds within which all must
    be committed after the last fault and the last record. consumer: a tree whose `consumer` is run
    instead of ours. settings: for the consumers, without the prefix.
    """

    seed: int
    folder: Path
    seconds: int = 180
    sessions: int = 200
    replicas: int = 3
    poisoned: int = 2
    lengths: tuple[int, int] = LENGTHS
    pace: float = PACE
    exactly_once: bool = False
    kinds: tuple[Kind, ...] = KINDS
    plan: tuple[Fault, ...] | None = None
    stem: str = "chaos"
    patience: float = 60.0
    consumer: Path | None = None
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """Topics and group."""
        return Names.of(self.stem)

    @property
    def faults(self) -> Sequence[Fault]:
        """In order of time."""
        return draw(self.seed, self.seconds, self.kinds) if self.plan is None else self.plan

    @property
    def command(self) -> tuple[str, ...]:
        """How a consumer is started. -P: what lies in the current folder doesn't count."""
        return (sys.executable, "-P", "-m", "consumer", "run")

    def environment(self, bootstrap: str, target: str) -> dict[str, str]:
        """Of every consumer. Short times, so that a few minutes see all of them run out."""
        names = self.names
        delivery = "exactly_once" if self.exactly_once else "at_least_once"
        settings: dict[str, object] = {
            "DELIVERY": delivery,
            "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA__INPUT_TOPIC": names.input,
            "KAFKA__RESULTS_TOPIC": names.results,
            "KAFKA__SESSIONS_TOPIC": names.sessions,
            "KAFKA__GROUP_ID": names.group,
            "KAFKA__SESSION_TIMEOUT_SECONDS": SESSION_SECONDS,
            "KAFKA__HEARTBEAT_SECONDS": 1,
            "KAFKA__TRANSACTION_TIMEOUT_SECONDS": 6,
            "KAFKA__REBALANCE_TIMEOUT_SECONDS": 12,
            "KAFKA__REQUEST_TIMEOUT_SECONDS": 10,
            "API__TARGET": target,
            "API__TLS": "false",
            "API__CID": CID,
            "API__TOKEN": TOKEN,
            "RETRY__MAXIMUM_SECONDS": 3,
            "BREAKER__INITIAL_SECONDS": 0.2,
            "BREAKER__MAXIMUM_SECONDS": 1,
            "COMMIT__REVOKE_SECONDS": 4,
            **self.settings,
        }
        found = {f"CONSUMER_{name}": str(value) for name, value in settings.items()}
        if self.consumer is not None:
            found["PYTHONPATH"] = str(self.consumer)
        return found
