"""How much of the waiting audio makes the next message."""

from consumer.core.policy import CoalescePolicy
from consumer.model import Frames


def message_frames(pending: int, rate: int, policy: CoalescePolicy, *, flush: bool) -> Frames:
    """Frames of the next message, 0 to wait for more.

    pending: frames that wait, rate in Hz. flush: they have waited long enough, or nothing will
    join them.
    """
    most = int(rate * policy.behind) or 1
    if pending >= most:
        return Frames(most)
    if flush or pending >= rate * policy.target:
        return Frames(pending)
    return Frames(0)
