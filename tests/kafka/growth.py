"""Topics that gain partitions."""

from collections.abc import Iterable

from aiokafka.admin import NewPartitions

from tests.kafka.bench import admin
from tests.kafka.cluster import Cluster


async def grow(kafka: Cluster, names: Iterable[str], partitions: int) -> None:
    """Let each of these topics have so many."""
    async with admin(kafka) as client:
        await client.create_partitions({name: NewPartitions(partitions) for name in names})
