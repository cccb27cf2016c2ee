"""A partition of ours with its sessions and its tasks."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from consumer.codec.checkpoint import CheckpointEncoder
from consumer.core.checkpoint import PartitionCheckpoint
from consumer.core.claim import Claim
from consumer.engine.dispatcher import Dispatcher
from consumer.engine.journal import Journal
from consumer.engine.kit import Kit
from consumer.engine.outlet import Writer
from consumer.engine.replayer import Replayer
from consumer.engine.tenure import Phase, Tenure
from consumer.engine.writers import PatientWriter, TransactionWriter
from consumer.model import Offset, Partition


class Holding:
    """writer: of all that it publishes. attempts: how often taking it has failed so far, trouble:
    why it has the last time.
    """

    def __init__(
        self, partition: Partition, kit: Kit, replayer: Replayer, attempts: int = 0
    ) -> None:
        self._kit = kit
        self.name = f"{partition.topic}/{partition.number}"
        self.writer: Writer = (
            PatientWriter(kit, self.name)
            if kit.transactor is None
            else TransactionWriter(kit, kit.transactor(partition))
        )
        self.attempts = attempts
        self.trouble = ""
        self.tenure = Tenure(partition, kit, self.writer)
        self.dispatcher = Dispatcher(self.tenure, kit, replayer)
        self._coming: asyncio.Task[None] | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._sealing: asyncio.Future[None] | None = None

    def come(self, work: Coroutine[Any, Any, None], publish: Coroutine[Any, Any, None]) -> None:
        """Take it in a task of its own; its outlet gets another."""
        self._coming = self._kit.spawn(work, f"take {self.name}")
        self._publishing = self._kit.spawn(publish, f"outlet {self.name}")

    def come_back(self, work: Coroutine[Any, Any, None]) -> None:
        """Find out whether it is as it was."""
        self._coming = self._kit.spawn(work, f"keep {self.name}")

    def begin(
        self,
        position: Offset,
        claim: Claim | None,
        found: PartitionCheckpoint,
    ) -> None:
        """Take records from the committed position on, and what earlier owners have left."""
        if claim is None:
            self.tenure.begin(position, position)
            return
        place = self.tenure.partition
        encoder = CheckpointEncoder(self._kit.checkpoint_topic, place, claim.epoch)
        journal = Journal(encoder, found)
        self.tenure.begin(position, position, claim, journal)
        for part in journal.inherit():
            for record in part:
                self.tenure.put(record)
            self.tenure.outlet.barrier()
        self.dispatcher.restore(found)

    def seal(self, *, final: bool = False) -> "asyncio.Future[None] | None":
        """Let all that is known become durable; None when that is so already, or under way."""
        tenure = self.tenure
        if self._sealing is not None and not self._sealing.done() and not final:
            return None
        watermark = tenure.offsets.watermark
        journal = tenure.journal
        records = journal.entries(self.dispatcher.changed(), watermark) if journal else ()
        if not (records or final or tenure.unsealed):
            return None
        self._sealing = tenure.seal(records, final=final)
        return self._sealing

    def suspend(self) -> None:
        """The group has taken it back. Whatever was about to begin here does not."""
        if self._coming is not None:
            self._coming.cancel()
        if self.tenure.phase is not Phase.SUSPENDED:
            self.tenure.suspend()

    def close(self) -> None:
        """It is not ours any more: its sessions are forgotten where they stand."""
        if self.tenure.phase is Phase.ENDED:
            return
        self.dispatcher.drop()
        self.tenure.close()
        for task in (self._coming, self._publishing):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        if self._kit.transactor is not None:
            self._kit.spawn(self.writer.stop(), f"stop writing {self.name}")
