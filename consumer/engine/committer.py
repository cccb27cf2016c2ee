"""Commits what is settled, at its interval. A failure is tried again at the next."""

import asyncio

from consumer.engine.kit import Kit
from consumer.engine.ownership import Ownership
from consumer.errors import KafkaFailed, KafkaRefused


async def commit_for_ever(kit: Kit, ownership: Ownership) -> None:
    """Raises KafkaRefused when the group may not be written to."""
    while True:
        await asyncio.sleep(kit.policies.commit.interval)
        try:
            await ownership.commit(list(ownership), kit.policies.commit.interval)
        except KafkaRefused:
            raise
        except KafkaFailed as failure:
            kit.log.warning("commit failed, trying again", error=str(failure))
