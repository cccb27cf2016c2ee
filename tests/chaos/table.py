"""What a run looks like to a person."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.chaos.calls import Call
from tests.chaos.oracle.case import sort
from tests.chaos.oracle.order import dropped
from tests.chaos.oracle.spans import length, union
from tests.chaos.plan import FED
from tests.chaos.run import Outcome
from tests.chaos.sound.speech import RATE

_SHOWN = 5
"""Complaints of one rule."""


def show(console: Console, outcome: Outcome) -> None:
    """The faults, the numbers, and what the oracle complains of."""
    table = Table("what", "how often or how much", title="chaos")
    for name, number in (*outcome.faults.items(), *fed(outcome.calls).items()):
        table.add_row(f"fault: {name}", str(number))
    table.add_section()
    for name, text in _numbers(outcome).items():
        table.add_row(name, text)
    console.print(table)
    rules = Counter(one.rule for one in outcome.complaints)
    for rule, count in rules.items():
        console.print(f"{rule}: {count} complaints", style="bold red")
        texts = [one.text for one in outcome.complaints if one.rule == rule]
        for text in texts[:_SHOWN]:
            console.print(f"  {text}", markup=False, highlight=False)


def fed(calls: Sequence[Call]) -> dict[str, int]:
    """What went wrong by how the calls were fed."""
    keys = {call.key for call in calls}
    counts = (
        sum(call.poisoned for call in calls),
        len(calls) - len(keys),
        sum(call.end_after > 0 for call in calls),
    )
    return dict(zip(FED, counts, strict=True))


def _numbers(outcome: Outcome) -> dict[str, str]:
    facts = outcome.facts
    cases = sort(facts).cases.values()
    heard = [span for case in cases for span in case.heard()]
    once = sum(length(union(case.heard())) for case in cases)
    repeats = [
        drop
        for case in cases
        for drop in dropped(sorted((one.result for one in case.findings), key=lambda r: r.place))
    ]
    lost = sum(one.rule in ("missing", "unheard", "unjudged") for one in outcome.complaints)
    crossed = sum(length([one.span for one in case.crossed()]) for case in cases)
    twice = (length(heard) - once) / RATE
    return {
        "sessions (keys)": str(len({call.key for call in outcome.calls})),
        "calls": str(len(outcome.calls)),
        "streams": str(len(facts.streams)),
        "results": str(len(facts.results)),
        "events": str(len(facts.events)),
        "dead letters": str(len(facts.letters)),
        "lost": str(lost),
        "lost to an OK that crossed our half-close": f"{crossed / RATE:.1f} s",
        "repeated": str(len(repeats)),
        "begun anew in mid-call": str(sum(one.resumed for one in facts.events)),
        "audio": f"{once / RATE:.0f} s",
        "audio sent twice": f"{twice:.0f} s ({100 * twice * RATE / max(once, 1):.1f} %)",
        "longest stall": f"{outcome.stall:.1f} s",
        "all settled after": f"{outcome.settled:.1f} s",
        "feeder late by at most": f"{outcome.behind:.1f} s",
    }
