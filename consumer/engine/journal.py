"""What the checkpoint topic says of a partition, and what it must say next.

A session that is over is remembered until an acknowledged commit has passed its last record: before
that, whoever takes over would read its records again and take them for a new call.
"""

from collections.abc import Collection, Iterable

from consumer.codec.checkpoint import CheckpointEncoder
from consumer.core.checkpoint import PartitionCheckpoint, SessionCheckpoint
from consumer.model import Offset, Outgoing, SessionKey

LOOSE_MOST = 10_000
"""Settled records without a session that may wait for the commit; more of them have to."""


class Journal:
    """One ownership's. loose: records above the commit that are settled and no session's.
    lettered: records whose dead letters are written though no checkpoint says so yet.
    """

    def __init__(self, encoder: CheckpointEncoder, found: PartitionCheckpoint) -> None:
        self._encoder = encoder
        self._found = found
        self._ended = dict(found.ended)
        self._news: set[SessionKey] = set()
        self._committed = Offset(0)
        self.loose = set(found.loose)
        self.lettered = set(found.lettered)
        self._told = (frozenset(found.loose), frozenset(found.lettered))

    def inherit(self) -> tuple[Collection[Outgoing], Collection[Outgoing], Collection[Outgoing]]:
        """What earlier owners have left, in our name; then our ownership; then theirs is removed.

        Each part only after the one before is acknowledged.
        """
        encoder, found = self._encoder, self._found
        taken = [encoder.going_on(session) for session in found.sessions]
        taken += [encoder.ended(key, last) for key, last in found.ended.items()]
        owned = [encoder.owned(self.loose, self.lettered)]
        return taken, owned, [encoder.removed(key) for key in found.keys]

    def ended(self, key: SessionKey, last: Offset) -> None:
        """A session is over; `last` is its newest record."""
        self._ended[key] = last
        self._news.add(key)

    def committed(self, offset: Offset) -> None:
        """Everything below this offset is committed, and that is acknowledged."""
        self._committed = max(self._committed, offset)

    def entries(
        self, sessions: Iterable[SessionCheckpoint], watermark: Offset
    ) -> Collection[Outgoing]:
        """What has changed. watermark: nothing needs to be said of single records below it."""
        encoder = self._encoder
        records = [encoder.forgotten(key) for key in self._forgettable()]
        records += [encoder.ended(key, self._ended[key]) for key in self._news]
        self._news.clear()
        for session in sessions:
            self._ended.pop(session.key, None)
            records.append(encoder.going_on(session))
        self._prune(watermark)
        told = (frozenset(self.loose), frozenset(self.lettered))
        if told != self._told:
            self._told = told
            records.append(encoder.owned(*told))
        return records

    def _forgettable(self) -> list[SessionKey]:
        done = [
            key
            for key, last in self._ended.items()
            if last < self._committed and key not in self._news
        ]
        for key in done:
            del self._ended[key]
        return done

    def _prune(self, watermark: Offset) -> None:
        for offsets in (self.loose, self.lettered):
            if offsets and min(offsets) < watermark:
                offsets.difference_update([offset for offset in offsets if offset < watermark])
