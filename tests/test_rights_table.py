"""The table of rights in docs/delivery.md is the one that the service is tested with."""

import re
from collections import Counter
from pathlib import Path

from tests.e2e.guarded import Delivery, rules
from tests.e2e.topics import Names

_ROW = re.compile(r"\| (Topic|Group|TransactionalId) \| .+ \| (\w+) \| (both|`exactly_once`) \|")
_KINDS = {"topic": "Topic", "group": "Group", "transactional id": "TransactionalId"}


def test_rights_are_those_of_the_table() -> None:
    """In both deliveries, so many of each kind and operation."""
    text = (Path(__file__).parents[1] / "docs" / "delivery.md").read_text()
    rows = [(kind, operation, delivery) for kind, operation, delivery in _ROW.findall(text)]
    names = Names("calls", "results", "sessions", "letters", "judges")
    deliveries: tuple[Delivery, ...] = ("at_least_once", "exactly_once")
    for delivery in deliveries:
        told = Counter((k, o) for k, o, d in rows if d == "both" or delivery in d)
        granted = rules(names, delivery).values()
        assert told == Counter((_KINDS[rule.kind], rule.operation) for rule in granted)
