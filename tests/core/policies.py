"""Policies under which a session has to keep its promises: tight, short and impatient ones."""

from hypothesis import strategies as st

from consumer.core.policy import (
    MemoryPolicy,
    RetryPolicy,
    SequencePolicy,
    SessionPolicy,
    StreamPolicy,
)

POLICIES = st.builds(
    SessionPolicy,
    memory=st.sampled_from([500, 4000, 1 << 20]).map(
        lambda held: MemoryPolicy(held=held, fetch=held // 2)
    ),
    stream=st.builds(
        StreamPolicy,
        horizon=st.sampled_from([2.0, 60.0]),
        limit=st.sampled_from([0.0, 10.0]),
    ),
    retry=st.builds(
        RetryPolicy, stuck=st.sampled_from([50.0, 10_000.0]), attempts=st.integers(1, 3)
    ),
    sequence=st.builds(
        SequencePolicy, window=st.just(8), fill=st.booleans(), fill_limit=st.just(0.7)
    ),
)
