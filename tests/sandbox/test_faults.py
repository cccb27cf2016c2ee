"""Rules say what shall go wrong and for whom."""

import asyncio

import grpc
import pytest

from consumer.sandbox.errors import Misused
from consumer.sandbox.faults import CUT, STOP_READING, Caller, Faults, Plan, parse_rule

SOMEONE = Caller(number=3, cid=7, session="call-1", rate=8_000)


def plan(*rules: str, caller: Caller = SOMEONE, seed: int = 0) -> Plan:
    """What the rules mean for a caller."""
    faults = Faults(seed)
    for rule in rules:
        faults.add(parse_rule(rule))
    return faults.plan(caller)


@pytest.mark.parametrize("status", grpc.StatusCode)
def test_every_status_can_be_asked_for(status: grpc.StatusCode) -> None:
    """Any gRPC status is a fault, OK included."""
    moment = plan(f"{status.name.lower().replace('_', '-')}-after=2.5").due(2.5)
    assert moment is not None
    assert moment.what == status.name


def test_moment_comes_with_its_second() -> None:
    """A moment is due from its second on; of several the earliest."""
    both = plan("unavailable-after=2", "cut-after=1;session=call-1")
    assert both.due(0.99) is None
    first = both.due(5)
    assert first is not None
    assert (first.what, first.rule) == (CUT, "cut-after=1;session=call-1")


def test_one_rule_may_do_several_things() -> None:
    """Delay, limit and moments can stand in one line; blanks and a last semicolon don't matter."""
    all_of_it = plan(" stop-reading-after = 0 ; delay-results=1.5; max-streams=2 ;")
    assert (all_of_it.delay, all_of_it.max_streams) == (1.5, 2)
    moment = all_of_it.due(0)
    assert moment is not None
    assert moment.what == STOP_READING


def test_strictest_rule_counts() -> None:
    """Of several rules the longest delay and the lowest limit hold."""
    both = plan("delay-results=1", "delay-results=2;max-streams=5", "max-streams=4")
    assert (both.delay, both.max_streams) == (2.0, 4)


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ("stream=3", True),
        ("stream=2", False),
        ("cid=7", True),
        ("cid=8", False),
        ("rate=8000", True),
        ("rate=16000", False),
        ("session=call-1", True),
        ("session=call-2", False),
        ("cid=7;stream=2", False),
        ("probability=0", False),
        ("probability=1", True),
    ],
)
def test_rules_choose_their_streams(choice: str, meant: bool) -> None:
    """A rule holds for the streams that all its conditions fit."""
    assert (plan(f"cut-after=0;{choice}").due(0) is not None) is meant


def test_chance_is_fair_and_repeatable() -> None:
    """A probability hits that part of the streams, the same ones for the same seed."""

    def hit(seed: int) -> list[int]:
        rule = parse_rule("cut-after=0;probability=0.3")
        return [n for n in range(2_000) if rule.meets(Caller(n, 7, None), seed)]

    assert hit(1) == hit(1)
    assert hit(1) != hit(2)
    assert 500 < len(hit(1)) < 700


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "does not say what is to happen"),
        ("stream=1", "does not say what is to happen"),
        ("delay-results=0", "does not say what is to happen"),
        ("explode", "not of the form name=value"),
        ("cut-after=", "not of the form name=value"),
        ("explode=1", "'explode' is not known"),
        ("sometime-after=1", "'sometime' is neither a gRPC status"),
        ("cut-after=soon", "'soon' is not a number"),
        ("cut-after=-1", "not a number from 0 on"),
        ("cut-after=nan", "not a number from 0 on"),
        ("cut-after=inf", "not a number from 0 on"),
        ("max-streams=1.5", "not a whole number"),
        ("cut-after=1;stream=-1", "not a whole number"),
        ("cut-after=1;cut-after=2", "given twice"),
    ],
)
def test_bad_rules_are_told(text: str, complaint: str) -> None:
    """A rule that can't be read is a mistake with a reason."""
    with pytest.raises(Misused, match=complaint):
        parse_rule(text)


async def test_changes_are_seen() -> None:
    """Whoever waits for a change is woken by the next one, not by earlier ones."""
    faults = Faults()
    number = faults.add(parse_rule("cut-after=0"))
    waiting = asyncio.create_task(faults.change())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert faults.remove(number)
    await asyncio.wait_for(waiting, 5)
    assert not faults.remove(number)
    faults.add(parse_rule("cut-after=0"))
    faults.clear()
    assert faults.rules == {}
