"""News of the group, as the client library tells it."""

from collections.abc import Awaitable, Callable, Collection

from aiokafka import ConsumerRebalanceListener, TopicPartition


class Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Passes the two calls of the library on.

    No heartbeat is sent before `assigned` returns, so it must not wait.
    """

    def __init__(
        self,
        assigned: Callable[[Collection[TopicPartition]], None],
        revoked: Callable[[], Awaitable[None]],
    ) -> None:
        self._assigned = assigned
        self._revoked = revoked

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called by the library after each rebalance."""
        self._assigned(assigned)

    async def on_partitions_revoked(
        self,
        revoked: Collection[TopicPartition],  # noqa: ARG002 - it is always all of them
    ) -> None:
        """Called by the library before each rebalance."""
        await self._revoked()
