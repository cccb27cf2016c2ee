"""Taking a partition: claim it, then learn what earlier owners have left.

The order matters. First the group says that we are in it, because what comes next would throw out
the rightful owner if we were not. Then whoever wrote before is kept out, so that nothing changes
any more. Only then is it read how far things stand; and the claim, which the group refuses from
those who are not in it any more, comes before anything is done with the partition.
"""

from consumer.codec.checkpoint import read_checkpoints
from consumer.core.checkpoint import PartitionCheckpoint
from consumer.core.claim import Claim, Standing
from consumer.engine.holding import Holding
from consumer.engine.kit import Kit
from consumer.errors import KafkaRefused, OwnershipLost, RecordError
from consumer.model import Offset, Partition


async def take(holding: Holding, kit: Kit) -> None:
    """Make the holding live. Raises KafkaFailed, OwnershipLost, KafkaRefused."""
    partition, source, clock = holding.tenure.partition, kit.source, kit.clock
    began = clock.monotonic()
    await source.vouch()
    await holding.writer.start()
    standing = await source.standing(partition)
    position = await source.place(partition, standing.offset if standing else None)
    before = standing.claim if standing else None
    claim = await _claim(kit, partition, position, before.epoch + 1 if before else 1)
    found = PartitionCheckpoint()
    if claim is not None:
        found = await _read(kit, partition)
        if found.epoch >= claim.epoch:
            claim = await _claim(kit, partition, position, found.epoch + 1)
    if before is None:  # a person has set the offset, or nobody ever was here: all begins anew
        found = PartitionCheckpoint(epoch=found.epoch, keys=found.keys)
    source.begin(partition, position)
    holding.tenure.continued = before is None and standing is not None
    holding.begin(position, claim, found)
    _tell(kit, partition, claim, found, clock.monotonic() - began)


async def is_untouched(holding: Holding, kit: Kit) -> bool:
    """Nobody else has owned the partition since we did. Raises KafkaFailed, KafkaRefused."""
    claim = holding.tenure.claim
    if claim is None:
        return False
    standing = await kit.source.standing(holding.tenure.partition)
    return standing is not None and standing.claim == claim


async def _claim(kit: Kit, partition: Partition, position: Offset, epoch: int) -> Claim | None:
    """Commit that it is ours and read that back; None where the brokers keep no such word."""
    claim = Claim(epoch, kit.owner)
    await kit.source.commit({partition: Standing(position, claim)})
    back = await kit.source.standing(partition)
    if back is None or back.claim is None:
        if kit.transactor is not None:
            raise KafkaRefused(
                "these brokers drop the metadata of commits, which exactly_once needs; "
                "use at_least_once"
            )
        return None
    if back.claim != claim:
        raise OwnershipLost(f"partition {partition.number} of {partition.topic} has a new owner")
    return claim


async def _read(kit: Kit, partition: Partition) -> PartitionCheckpoint:
    records = await kit.checkpoints.read(partition.number)
    kit.metrics.count("restore_records", len(records))
    try:
        return read_checkpoints(records)
    except RecordError as error:
        raise KafkaRefused(
            f"{error}; it was written by another version or another program. Use the version that "
            "wrote it, or stop all replicas and delete the topic: calls then begin anew"
        ) from error


def _tell(
    kit: Kit,
    partition: Partition,
    claim: Claim | None,
    found: PartitionCheckpoint,
    seconds: float,
) -> None:
    kit.metrics.count("restore_seconds", seconds)
    kit.metrics.count("partitions_restored", 1 if found.keys else 0)
    kit.metrics.count("sessions_restored", len(found.sessions))
    kit.log.info(
        "partition taken",
        partition=partition.number,
        epoch=claim.epoch if claim else None,
        sessions=len(found.sessions),
        seconds=round(seconds, 3),
    )
