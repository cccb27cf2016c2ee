"""Small chunks are joined, large ones are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.coalesce import message_frames
from consumer.core.policy import CoalescePolicy

POLICY = CoalescePolicy(target=0.25, behind=0.5, in_flight=2.0)


@pytest.mark.parametrize(
    ("pending", "flush", "frames"),
    [
        (160, False, 0),  # 20 ms wait for more
        (160, True, 160),  # unless they have waited long enough
        (1999, False, 0),
        (2000, False, 2000),  # 250 ms are a message
        (3999, False, 3999),
        (4000, False, 4000),  # 500 ms are the most
        (80_000, False, 4000),
        (80_000, True, 4000),
        (0, True, 0),
    ],
)
def test_a_message_holds_between_target_and_most(pending: int, flush: bool, frames: int) -> None:
    """At 8 kHz, by how much waits."""
    assert message_frames(pending, 8000, POLICY, flush=flush) == frames


@given(st.integers(1, 10**6), st.integers(1, 384_000), st.booleans())
def test_a_message_is_never_more_than_waits(pending: int, rate: int, flush: bool) -> None:
    """And something goes out when it must, however low the rate."""
    frames = message_frames(pending, rate, POLICY, flush=flush)
    assert 0 <= frames <= pending
    assert frames <= max(1, rate // 2)
    assert frames > 0 or not flush
