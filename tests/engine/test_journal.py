"""What the checkpoint topic is told, and in which order."""

from collections.abc import Iterable

from consumer.codec.checkpoint import CheckpointEncoder, read_checkpoints
from consumer.core.checkpoint import PartitionCheckpoint, SessionCheckpoint
from consumer.engine.journal import Journal
from consumer.model import (
    Frames,
    Incarnation,
    Milliseconds,
    Offset,
    Outgoing,
    Partition,
    Record,
    SessionKey,
)

PLACE = Partition("calls", 0)
A, B = SessionKey("a"), SessionKey("b")


def session(key: SessionKey, judged: int = 0, last: int = 9) -> SessionCheckpoint:
    """A session that goes on."""
    return SessionCheckpoint(
        key=key,
        incarnation=Incarnation("calls", 0, Offset(1)),
        next=Offset(last + 1),
        begin=Frames(0),
        judged=Frames(judged),
        seen=Offset(last),
        began=Milliseconds(1),
        heard=Milliseconds(2),
    )


class Topic:
    """The checkpoint topic's partition."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def write(self, records: Iterable[Outgoing]) -> None:
        """Append."""
        for each in records:
            offset = Offset(len(self.records))
            self.records.append(Record(PLACE, offset, Milliseconds(0), each.key, each.value))

    def read(self) -> PartitionCheckpoint:
        """What a new owner finds."""
        return read_checkpoints(self.records)

    def journal(self, epoch: int) -> Journal:
        """The next owner's, which has taken over."""
        journal = Journal(CheckpointEncoder("checkpoints", PLACE, epoch), self.read())
        for part in journal.inherit():
            self.write(part)
        return journal


def test_sessions_are_told_as_they_change() -> None:
    """The newest word of each counts."""
    topic = Topic()
    journal = topic.journal(1)
    topic.write(journal.entries([session(A), session(B)], Offset(0)))
    topic.write(journal.entries([session(A, judged=5)], Offset(0)))
    assert topic.read().sessions == (session(A, judged=5), session(B))


def test_nothing_new_is_nothing_to_tell() -> None:
    """A quiet partition costs nothing."""
    journal = Topic().journal(1)
    assert list(journal.entries([], Offset(7))) == []


def test_an_end_is_remembered_until_a_commit_has_passed_it() -> None:
    """Before that a new owner would read the session's records again and take them for a call."""
    topic = Topic()
    journal = topic.journal(1)
    topic.write(journal.entries([session(A)], Offset(0)))
    journal.ended(A, Offset(9))
    topic.write(journal.entries([], Offset(0)))
    assert (topic.read().sessions, topic.read().ended) == ((), {A: 9})
    journal.committed(Offset(9))
    topic.write(journal.entries([], Offset(9)))
    assert topic.read().ended == {A: 9}, "the last record itself is not committed"
    journal.committed(Offset(10))
    topic.write(journal.entries([], Offset(10)))
    assert topic.read().ended == {}
    assert list(journal.entries([], Offset(11))) == [], "and that is told once"


def test_an_end_is_told_before_it_may_be_forgotten() -> None:
    """Though a commit has passed it already, a new owner may find the session's last checkpoint."""
    topic = Topic()
    journal = topic.journal(1)
    topic.write(journal.entries([session(A)], Offset(0)))
    journal.committed(Offset(50))
    journal.ended(A, Offset(9))
    topic.write(journal.entries([], Offset(50)))
    assert topic.read().ended == {A: 9}
    topic.write(journal.entries([], Offset(50)))
    assert topic.read().keys == (b"1",)


def test_a_new_call_under_the_key_takes_the_place_of_the_end() -> None:
    """And is not forgotten in its stead."""
    topic = Topic()
    journal = topic.journal(1)
    journal.ended(A, Offset(9))
    topic.write(journal.entries([session(A, last=20)], Offset(0)))
    assert topic.read().sessions == (session(A, last=20),)
    journal.committed(Offset(50))
    topic.write(journal.entries([], Offset(50)))
    assert topic.read().sessions == (session(A, last=20),)


def test_single_records_are_told_while_the_commit_is_below_them() -> None:
    """A dead letter of nobody's, and one that is ahead of its session's checkpoint."""
    topic = Topic()
    journal = topic.journal(1)
    journal.loose.update({Offset(5), Offset(8)})
    journal.lettered.add(Offset(6))
    topic.write(journal.entries([], Offset(5)))
    assert sorted(topic.read().loose) == [5, 8]
    assert sorted(topic.read().lettered) == [6]
    topic.write(journal.entries([], Offset(8)))
    assert sorted(topic.read().loose) == [8]
    assert not topic.read().lettered


def test_the_next_owner_goes_on_with_all_of_it() -> None:
    """Under its own epoch; what the one before had written is removed."""
    topic = Topic()
    first = topic.journal(1)
    first.loose.add(Offset(5))
    first.ended(B, Offset(3))
    topic.write(first.entries([session(A)], Offset(1)))
    before = topic.read()
    second = topic.journal(2)
    after = topic.read()
    assert after.epoch == 2
    assert (after.sessions, after.ended, after.loose) == (
        before.sessions,
        before.ended,
        before.loose,
    )
    assert all(key.startswith(b"2") for key in after.keys)
    second.committed(Offset(4))
    topic.write(second.entries([], Offset(4)))
    assert topic.read().ended == {}, "an inherited end is forgotten as one's own"


def test_an_owner_that_was_replaced_changes_nothing_any_more() -> None:
    """Its late words are of an epoch that does not count."""
    topic = Topic()
    zombie = topic.journal(1)
    topic.write(zombie.entries([session(A)], Offset(0)))
    topic.journal(2)
    topic.write(zombie.entries([session(A, judged=99), session(B)], Offset(0)))
    assert topic.read().sessions == (session(A),)


def test_a_takeover_that_breaks_off_leaves_the_one_before_in_force() -> None:
    """Until the new ownership itself is written, nothing of it counts."""
    topic = Topic()
    first = topic.journal(1)
    topic.write(first.entries([session(A), session(B)], Offset(0)))
    taken, owned, removed = Journal(
        CheckpointEncoder("checkpoints", PLACE, 2), topic.read()
    ).inherit()
    topic.write(list(taken)[:1])
    assert topic.read().sessions == (session(A), session(B))
    topic.write(taken)
    topic.write(owned)
    assert topic.read().sessions == (session(A), session(B))
    topic.write(removed)
    assert topic.read().sessions == (session(A), session(B))
