"""Who owns a partition, as its group's committed metadata says.

A claim is committed before anything else is done with a partition. So whoever finds a claim of its
own there knows that nobody else has touched the partition meanwhile.
"""

from dataclasses import dataclass

from consumer.model import Offset


@dataclass(frozen=True, slots=True)
class Claim:
    """One ownership. epoch: counts the owners of a partition from 1. owner: names the process."""

    epoch: int
    owner: str

    def __post_init__(self) -> None:
        if self.epoch < 1 or not self.owner or " " in self.owner:
            raise ValueError("an epoch counts from 1, and an owner is a word")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a group has committed for a partition: the next record to read, and for whom.

    claim: None where nobody has claimed it in our words, as when a person has set the offset.
    """

    offset: Offset
    claim: Claim | None = None
