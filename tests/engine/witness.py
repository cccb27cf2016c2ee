"""Sees which tenure published what: the task that sends a record is that of its tenure's outlet."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from consumer.model import Offset, Outgoing, Partition
from tests.engine.stand import CALLS, RESULTS, SESSIONS, Stand


@dataclass(eq=False, slots=True)
class Reign:
    """One tenure of a partition, seen from outside.

    position: where reading began. said: results and session
    events by key, in the order of their acknowledgement.
    """

    partition: Partition
    position: Offset
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Witness:
    """Watches one replica."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self._begun: dict[Partition, Reign] = {}
        self._tenures: dict[asyncio.Task[Any], Reign] = {}
        self._senders: dict[int, tuple[Outgoing, Reign]] = {}
        begin, send = stand.source.begin, stand.sink.send

        def begun(partition: Partition, position: Offset) -> None:
            begin(partition, position)
            self._begun[partition] = Reign(partition, position)

        async def noted(record: Outgoing) -> "asyncio.Future[None]":
            self._senders[id(record)] = (record, self._reign(record))
            return await send(record)

        stand.source.begin = begun  # type: ignore[method-assign] # a look over the shoulder
        stand.sink.send = noted  # type: ignore[method-assign] # a look over the shoulder

    def reigns(self) -> list[Reign]:
        """All tenures that have published, with what was acknowledged."""
        for record in self.stand.sink.sent:
            if record.topic in (RESULTS, SESSIONS):
                _, reign = self._senders[id(record)]
                key = (record.key or b"").decode()
                reign.said.setdefault(key, []).append(json.loads(record.value or b"{}"))
        return list(self._tenures.values())

    def _reign(self, record: Outgoing) -> Reign:
        """Of the asking task; a tenure publishes nothing before it has begun."""
        task = asyncio.current_task()
        assert task is not None
        assert record.partition is not None
        return self._tenures.setdefault(task, self._begun[Partition(CALLS, record.partition)])
