"""Policies refuse numbers that can't work, and imply small decisions."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.policy import (
    BackoffPolicy,
    BreakerPolicy,
    CoalescePolicy,
    CommitPolicy,
    FlowPolicy,
    IdlePolicy,
    MemoryPolicy,
    RetryPolicy,
    SequencePolicy,
    SessionPolicy,
    StreamPolicy,
)


@pytest.mark.parametrize(
    "policy", [SessionPolicy, BreakerPolicy, IdlePolicy, FlowPolicy, CommitPolicy]
)
def test_the_defaults_are_valid(policy: Callable[[], object]) -> None:
    """Each policy stands on its own."""
    assert policy() == policy()


@pytest.mark.parametrize(
    "broken",
    [
        partial(StreamPolicy, horizon=0.0),
        partial(StreamPolicy, close_timeout=0.0),
        partial(StreamPolicy, stall_timeout=0.0),
        partial(StreamPolicy, limit=-1.0),
        partial(CoalescePolicy, target=0.0),
        partial(CoalescePolicy, target=0.6, behind=0.5),
        partial(CoalescePolicy, behind=3.0),
        partial(CoalescePolicy, linger=-0.1),
        partial(MemoryPolicy, held=0),
        partial(MemoryPolicy, fetch=0),
        partial(MemoryPolicy, tight_share=0.0),
        partial(MemoryPolicy, tight_share=1.5),
        partial(BackoffPolicy, initial=0.0),
        partial(BackoffPolicy, factor=0.5),
        partial(BackoffPolicy, maximum=0.1),
        partial(BackoffPolicy, jitter=1.0),
        partial(RetryPolicy, attempts=0),
        partial(RetryPolicy, alive=0.0),
        partial(RetryPolicy, stuck=0.0),
        partial(SequencePolicy, window=0),
        partial(SequencePolicy, fill_limit=-1.0),
        partial(BreakerPolicy, sessions=0),
        partial(BreakerPolicy, poisoned=-1),
        partial(BreakerPolicy, window=0.0),
        partial(IdlePolicy, timeout=0.0),
        partial(FlowPolicy, partition_low=0),
        partial(FlowPolicy, partition_high=1),
        partial(FlowPolicy, process_low=0),
        partial(FlowPolicy, process_high=1),
        partial(FlowPolicy, unsettled=0),
        partial(FlowPolicy, dead_letters=0),
        partial(CommitPolicy, interval=0.0),
        partial(CommitPolicy, poll=0.0),
        partial(CommitPolicy, revoke=0.0),
        partial(CommitPolicy, shutdown=0.0),
    ],
)
def test_numbers_that_can_not_work_are_refused(broken: Callable[[], object]) -> None:
    """Values are valid once built."""
    with pytest.raises(ValueError, match=r"must"):
        broken()


@given(st.text(max_size=20), st.integers(1, 10_000))
def test_a_pause_lies_between_half_and_all_of_its_length(key: str, attempt: int) -> None:
    """Jitter takes away, and a test can foresee it: the same key and attempt pause alike."""
    policy = BackoffPolicy(initial=0.2, factor=2.0, maximum=30.0, jitter=0.5)
    full = min(30.0, 0.2 * 2.0 ** min(attempt - 1, 64))
    pause = policy.pause(key, attempt)
    assert full / 2 <= pause <= full
    assert pause == policy.pause(key, attempt)


def test_sessions_do_not_come_back_at_the_same_instant() -> None:
    """A thousand keys spread over the second half of the pause."""
    policy = BackoffPolicy(initial=1.0, jitter=0.5)
    pauses = [policy.pause(f"call {number}", 1) for number in range(1000)]
    tenths = {int(pause * 20) for pause in pauses}
    assert tenths >= set(range(10, 20))
