"""The checkpoint topic's records: what one owner writes, the next one reads."""

from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import pytest

from consumer.codec.checkpoint import CheckpointEncoder, read_checkpoints
from consumer.core.checkpoint import (
    DecoderMemory,
    Ending,
    PartitionCheckpoint,
    Run,
    SequenceMemory,
    SessionCheckpoint,
    TallyMemory,
)
from consumer.errors import RecordError
from consumer.model import (
    AudioFormat,
    Encoding,
    EndReason,
    Frames,
    Hertz,
    Incarnation,
    Level,
    LevelChoice,
    Milliseconds,
    Offset,
    Outgoing,
    Partition,
    Record,
    SessionKey,
    StreamConfig,
)

PLACE = Partition("calls", 3)
A, B = SessionKey("a:1"), SessionKey("ü")


def session(key: SessionKey = A, judged: int = 900) -> SessionCheckpoint:
    """A session of which everything is known."""
    return SessionCheckpoint(
        key=key,
        incarnation=Incarnation("calls", 3, Offset(7)),
        next=Offset(20),
        begin=Frames(800),
        judged=Frames(judged),
        seen=Offset(31),
        began=Milliseconds(1),
        heard=Milliseconds(99),
        resumed=True,
        tenant="bank",
        meta={"agent": "7"},
        runs=(Run(Frames(3), Fraction(1, 3), StreamConfig(Hertz(8000), LevelChoice.ALL)),),
        ends=((Level.SEGMENT, "deepfake", Frames(900)),),
        streams=4,
        started_at=Milliseconds(1),
        sequence=SequenceMemory(12, (1 << 1024) - 1, 2, 160),
        decoder=DecoderMemory(
            declared=AudioFormat(Encoding.PCM_MULAW, Hertz(8000), 2, 1),
            stage="audio",
            left=17,
            held=b"RIF",
            carry=b"\xff",
        ),
        given_up=(Offset(22), Offset(30)),
        poisoned=True,
        ending=Ending(EndReason.IDLE, Milliseconds(98), Offset(31)),
        tally=TallyMemory(records=5, labels={"spoofed": 2}, pids=(1, 2)),
    )


def read(*written: Outgoing) -> PartitionCheckpoint:
    """What a reader of these records finds."""
    return read_checkpoints(
        Record(Partition(each.topic, 3), Offset(n), Milliseconds(0), each.key, each.value)
        for n, each in enumerate(written)
    )


def owner(epoch: int) -> CheckpointEncoder:
    """Writes for one ownership."""
    return CheckpointEncoder("checkpoints", PLACE, epoch)


def test_a_session_comes_back_as_it_was() -> None:
    """Every field, on the input's partition number."""
    record = owner(2).going_on(session())
    assert (record.topic, record.partition) == ("checkpoints", 3)
    found = read(record, owner(2).owned([Offset(41), Offset(40)]))
    assert found.sessions == (session(),)
    assert (found.epoch, sorted(found.loose)) == (2, [40, 41])


def test_a_session_of_which_nobody_has_said_more_comes_back() -> None:
    """Its meta is then a mapping that can't be changed, which JSON does not know."""
    checkpoint = replace(session(), meta=MappingProxyType({}))
    found = read(owner(2).going_on(checkpoint), owner(2).owned([]))
    assert found.sessions == (checkpoint,)


def test_letters_written_ahead_come_back() -> None:
    """With the ownership, sorted."""
    found = read(owner(2).owned([], [Offset(9), Offset(8)]))
    assert sorted(found.lettered) == [8, 9]


def test_the_newest_word_counts() -> None:
    """Of one session and one owner."""
    one = owner(2)
    found = read(one.going_on(session()), one.going_on(session(judged=950)), one.owned([]))
    assert found.sessions == (session(judged=950),)


def test_an_end_takes_the_place_of_its_session() -> None:
    """And goes when nobody needs to know any more."""
    one = owner(2)
    records = [one.going_on(session()), one.ended(A, Offset(31)), one.owned([])]
    found = read(*records)
    assert (found.sessions, found.ended) == ((), {A: 31})
    assert read(*records, one.forgotten(A)).ended == {}


def test_an_owner_that_did_not_finish_taking_over_changes_nothing() -> None:
    """It has written sessions, but not that it owns the partition; its number is used up."""
    one, two = owner(1), owner(2)
    found = read(one.going_on(session()), one.owned([]), two.going_on(session(B)))
    assert found.sessions == (session(),)
    assert found.epoch == 2


def test_a_late_word_of_an_earlier_owner_changes_nothing() -> None:
    """Whoever was replaced without noticing may write on."""
    one, two = owner(1), owner(2)
    found = read(
        one.owned([]),
        two.going_on(session(judged=950)),
        two.owned([]),
        one.going_on(session()),
        one.going_on(session(B)),
        one.owned([Offset(5)]),
    )
    assert found.sessions == (session(judged=950),)
    assert (found.epoch, found.loose) == (2, frozenset())


def test_what_an_owner_finds_it_can_remove() -> None:
    """The keys of all records that still stand, of whatever owner."""
    one, two = owner(1), owner(2)
    records = [one.going_on(session()), one.owned([]), two.going_on(session(B)), one.forgotten(A)]
    found = read(*records)
    assert set(found.keys) == {b"1", "2:ü".encode()}
    assert read(*records, *(owner(3).removed(key) for key in found.keys)).keys == ()


def test_nothing_is_found_where_nothing_is() -> None:
    """A new group begins with that."""
    assert read() == PartitionCheckpoint()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"),
        (b"call", b"{}"),
        (b"1:\xff", b"{}"),
        (b"1", b"?"),
        (b"1", b'{"schema":"checkpoint.v2"}'),
        (b"1:a", b'{"schema":"checkpoint.v1","session":{"key":"a"}}'),
    ],
)
def test_another_programs_record_is_refused(key: bytes | None, value: bytes) -> None:
    """It is told where it lies."""
    record = Record(Partition("checkpoints", 3), Offset(9), Milliseconds(0), key, value)
    with pytest.raises(RecordError, match="record 9 of partition 3 of checkpoints"):
        read_checkpoints([record])
