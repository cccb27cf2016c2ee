"""A session goes on under another owner exactly where it stood."""

import pytest

from consumer.core.checkpoint import SessionCheckpoint
from consumer.core.events import DeadLettered, OpenStream, Settle
from consumer.core.policy import RetryPolicy, SequencePolicy, SessionPolicy
from consumer.core.states import State
from consumer.errors import Fault
from consumer.model import (
    ChunkEvent,
    Frames,
    Hertz,
    Incarnation,
    Level,
    LevelChoice,
    Milliseconds,
    Offset,
    SessionEnded,
    SessionKey,
    SessionStarted,
)
from tests.core.rig import Rig

FILLING = SessionPolicy(sequence=SequencePolicy(window=8, fill=True, fill_limit=2.0))


def ended(rig: Rig) -> SessionEnded:
    """The session's last word."""
    found = rig.published[-1]
    assert isinstance(found, SessionEnded)
    return found


def test_audio_goes_on_at_the_judged_frame() -> None:
    """The records that hold unjudged audio are read again; what is judged is not sent again."""
    rig = Rig(level=LevelChoice.SEGMENT)
    for _ in range(4):
        rig.arrive(1000)
    rig.take_all()
    rig.result(2.5, Level.SEGMENT)
    checkpoint = rig.move()
    assert (checkpoint.next, checkpoint.begin, checkpoint.judged) == (102, 2000, 2500)
    assert rig.open_stream.base == 2500
    rig.take_all()
    assert rig.open_stream.heard == 1500
    rig.finish()
    assert ended(rig).summary.records == 4


def test_results_keep_the_call_time() -> None:
    """Times count from the start of the call under every owner."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(3000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.move()
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    assert [(r.start_ms, r.end_ms) for r in rig.results] == [(0, 2000), (2000, 3000)]
    assert [r.stream for r in rig.results] == [0, 1]
    rig.finish()


def test_the_start_is_told_once() -> None:
    """The new owner knows that it is published."""
    rig = Rig()
    rig.arrive(1000)
    rig.move()
    assert sum(isinstance(p, SessionStarted) for p in rig.published) == 1
    rig.finish()


def test_what_was_published_is_not_published_again() -> None:
    """A segment beyond the last settled utterance is found a second time, and dropped."""
    rig = Rig(level=LevelChoice.ALL)
    rig.arrive(4000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    rig.move()
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    assert len(rig.results) == 1
    rig.finish()


def test_records_that_are_read_again_are_no_repeats() -> None:
    """Their sequence numbers were seen, but not before them; later repeats are still known."""
    rig = Rig(SessionPolicy(sequence=SequencePolicy(window=8)), LevelChoice.SEGMENT)
    for number in range(3):
        rig.arrive(1000, sequence=number)
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    rig.move()
    rig.arrive(1000, sequence=0)
    rig.arrive(1000, sequence=3)
    rig.finish()
    assert ended(rig).summary.repeats == 1
    assert ended(rig).summary.audio_ms == 4000


def test_silence_for_missing_chunks_is_put_in_again() -> None:
    """The gap lies before a record that is read again; it is counted once."""
    rig = Rig(FILLING, LevelChoice.SEGMENT)
    rig.arrive(500, sequence=0)
    rig.arrive(500, sequence=3)
    rig.take_all()
    rig.result(0.5, Level.SEGMENT)
    rig.move()
    rig.finish()
    summary = ended(rig).summary
    assert (summary.missing, summary.filled_ms, summary.audio_ms) == (2, 1000, 2000)


def test_a_restart_of_the_count_is_known() -> None:
    """A record that says that its producer starts anew is taken in as before."""
    rig = Rig(FILLING, LevelChoice.SEGMENT)
    rig.arrive(500, sequence=7)
    rig.arrive(500, sequence=2, event=ChunkEvent.START)
    rig.arrive(500, sequence=3)
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    rig.move()
    rig.arrive(500, sequence=4)
    rig.finish()
    summary = ended(rig).summary
    assert (summary.missing, summary.repeats, summary.dead_letters) == (0, 0, 0)


def test_the_first_chunk_of_a_format_gets_no_silence_in_front() -> None:
    """Nobody knows how much a missing chunk of the other format held; neither does a new owner."""
    rig = Rig(FILLING, LevelChoice.SEGMENT)
    rig.arrive(1000, sequence=0)
    rig.arrive(500, sequence=2, rate=Hertz(500))
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    checkpoint = rig.move()
    assert checkpoint.begin == 1000
    rig.finish()
    assert ended(rig).summary.filled_ms == 0


def test_dead_letters_are_not_written_again() -> None:
    """A bad record in the middle of unjudged audio is read again, but it has its letter."""
    rig = Rig()
    rig.arrive(1000)
    bad = rig.unreadable()
    rig.arrive(1000)
    checkpoint = rig.move()
    assert checkpoint.given_up == (bad,)
    assert list(rig.dead) == [bad]
    rig.finish()
    assert ended(rig).summary.dead_letters == 1


def test_a_session_that_was_given_up_stays_so() -> None:
    """Its further audio goes to the dead letters, until its format changes."""
    rig = Rig(SessionPolicy(retry=RetryPolicy(attempts=1)))
    rig.arrive(1000)
    rig.fail(Fault.AUDIO, "INVALID_ARGUMENT")
    assert rig.session.state is State.POISONED
    rig.move()
    assert rig.session.state is State.POISONED
    rig.arrive(1000)
    assert rig.did(DeadLettered)
    rig.arrive(1000, rate=Hertz(500))
    assert rig.did(OpenStream)
    rig.finish()


def test_a_session_without_unsettled_audio_goes_on_with_the_next_record() -> None:
    """It is still the same incarnation, and its clock does not start again."""
    rig = Rig(level=LevelChoice.SEGMENT)
    rig.arrive(2000)
    rig.take_all()
    rig.result(2.0, Level.SEGMENT)
    assert rig.did(Settle)
    checkpoint = rig.move()
    assert (checkpoint.next, checkpoint.begin, checkpoint.judged) == (101, 2000, 2000)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0, Level.SEGMENT)
    assert rig.results[-1].start_ms == 2000
    rig.finish()


def test_an_end_mark_is_read_again() -> None:
    """A session that waits for its last OK is ended by its mark once more."""
    rig = Rig()
    rig.arrive(1000)
    rig.take_all()
    rig.end()
    rig.move()
    rig.finish()
    assert ended(rig).summary.audio_ms == 1000


def test_a_second_look_changes_nothing() -> None:
    """Once the records are read again, a checkpoint says what the one before it said."""
    rig = Rig(FILLING, LevelChoice.SEGMENT)
    for number in (0, 1, 1, 4, 5):
        rig.arrive(700, sequence=number, rate=Hertz(1000 if number < 5 else 800))
    rig.take_all()
    rig.result(0.9, Level.SEGMENT)
    first = rig.move()
    second = rig.move()
    assert (first.streams, second.streams) == (1, 2)
    names = ("next", "begin", "judged", "seen", "runs", "ends", "sequence", "tally", "given_up")
    assert [getattr(first, n) for n in names] == [getattr(second, n) for n in names]
    rig.finish()


def test_a_session_says_when_it_may_give_up() -> None:
    """Only then must what it was be written down before the next event."""
    rig = Rig(SessionPolicy(retry=RetryPolicy(stuck=100.0)))
    rig.arrive(1000)
    assert not rig.session.gives_up(99.0)
    assert rig.session.gives_up(100.0)
    rig.finish()


def valid(**other: object) -> SessionCheckpoint:
    """A checkpoint with these values."""
    values: dict[str, object] = {
        "key": SessionKey("call"),
        "incarnation": Incarnation("calls", 0, Offset(1)),
        "next": Offset(5),
        "begin": Frames(10),
        "judged": Frames(12),
        "seen": Offset(7),
        "began": Milliseconds(1),
        "heard": Milliseconds(2),
    }
    return SessionCheckpoint(**{**values, **other})  # type: ignore[arg-type] # as a reader would


def test_a_checkpoint_must_make_sense() -> None:
    """One that doesn't is not built."""
    assert valid().next == 5
    with pytest.raises(ValueError, match="begin <= judged"):
        valid(judged=9)
    with pytest.raises(ValueError, match="beyond the newest record"):
        valid(next=9)
