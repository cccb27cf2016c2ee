"""The checkpoint topic's records: what an owner writes, and what the next one makes of it.

A key is the owner's epoch, then the session's key. An ownership counts once its own record, the
epoch alone, is there: it is written after all that was taken over, so a restore that broke off
leaves the one before in force, and a late word of an owner long replaced changes nothing.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

import msgspec

from consumer.core.checkpoint import PartitionCheckpoint, SessionCheckpoint
from consumer.errors import RecordError
from consumer.model import Offset, Outgoing, Partition, Record, SessionKey

SCHEMA: Literal["checkpoint.v1"] = "checkpoint.v1"


class _Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record: a session that goes on, one that is over with its last record, or an ownership
    with the settled records that are no session's, and those whose dead letters are written.
    """

    schema: Literal["checkpoint.v1"]
    session: SessionCheckpoint | None = None
    ended: Offset | None = None
    loose: tuple[Offset, ...] = ()
    lettered: tuple[Offset, ...] = ()


class CheckpointEncoder:
    """Writes one ownership's records to a topic."""

    def __init__(self, topic: str, place: Partition, epoch: int) -> None:
        self._topic = topic
        self._number = place.number
        self._epoch = str(epoch).encode()

    def going_on(self, checkpoint: SessionCheckpoint) -> Outgoing:
        """A session where it stands."""
        return self._record(self._key(checkpoint.key), _Shape(SCHEMA, session=checkpoint))

    def ended(self, key: SessionKey, last: Offset) -> Outgoing:
        """A session that is over; its records up to this one are settled."""
        return self._record(self._key(key), _Shape(SCHEMA, ended=last))

    def forgotten(self, key: SessionKey) -> Outgoing:
        """Nothing more needs to be known of a session."""
        return self._record(self._key(key), None)

    def owned(self, loose: Iterable[Offset], lettered: Iterable[Offset] = ()) -> Outgoing:
        """The ownership itself, with what it knows of single records."""
        shape = _Shape(SCHEMA, loose=tuple(sorted(loose)), lettered=tuple(sorted(lettered)))
        return self._record(self._epoch, shape)

    def removed(self, key: bytes) -> Outgoing:
        """A record of an earlier ownership goes."""
        return self._record(key, None)

    def _key(self, key: SessionKey) -> bytes:
        return self._epoch + b":" + key.encode()

    def _record(self, key: bytes, shape: _Shape | None) -> Outgoing:
        value = None if shape is None else _encoder.encode(shape)
        return Outgoing(self._topic, self._number, key, value)


def read_checkpoints(records: Iterable[Record]) -> PartitionCheckpoint:
    """What a partition's records say together. Raises RecordError for one that is not ours."""
    shapes: dict[tuple[int, SessionKey | None], _Shape] = {}
    keys: dict[bytes, None] = {}
    epoch = 0
    for record in records:
        place = _place(record)
        epoch = max(epoch, place[0])
        if record.value is None:
            shapes.pop(place, None)
            keys.pop(record.key or b"", None)
        else:
            shapes[place] = _shape(record)
            keys[record.key or b""] = None
    valid = max((number for number, key in shapes if key is None), default=0)
    own = {key: shape for (number, key), shape in shapes.items() if number == valid and key}
    marker = shapes.get((valid, None))
    return PartitionCheckpoint(
        epoch=epoch,
        sessions=tuple(s.session for s in own.values() if s.session is not None),
        ended={key: s.ended for key, s in own.items() if s.ended is not None},
        loose=frozenset(marker.loose if marker is not None else ()),
        lettered=frozenset(marker.lettered if marker is not None else ()),
        keys=tuple(keys),
    )


def _place(record: Record) -> tuple[int, SessionKey | None]:
    number, colon, key = (record.key or b"").partition(b":")
    try:
        return int(number), SessionKey(key.decode()) if colon else None
    except ValueError as error:
        raise _foreign(record, "its key is not an epoch and a session") from error


def _shape(record: Record) -> _Shape:
    try:
        return _decoder.decode(record.value or b"")
    except msgspec.MsgspecError as error:
        raise _foreign(record, str(error)) from error


def _foreign(record: Record, why: str) -> RecordError:
    place = record.partition
    return RecordError(
        "bad-checkpoint",
        f"record {record.offset} of partition {place.number} of {place.topic} is no checkpoint of "
        f"this version: {why}",
    )


def _out(value: object) -> object:
    """What JSON does not know of a checkpoint: fractions, and mappings that can't be changed."""
    return dict(value) if isinstance(value, Mapping) else str(value)


def _in(_: type[Any], text: str) -> Fraction:
    return Fraction(text)


_encoder = msgspec.json.Encoder(enc_hook=_out)
_decoder = msgspec.json.Decoder(_Shape, dec_hook=_in)
