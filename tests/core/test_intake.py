"""A record becomes audio, nothing or a dead letter, and keeps its place in all three."""

from consumer.core.events import DeadLettered, Settle
from consumer.core.policy import SequencePolicy, SessionPolicy
from consumer.model import ChunkEvent, Hertz, LevelChoice, Offset, SessionEnded, SessionSummary
from tests.core.rig import Rig

FILLING = SessionPolicy(sequence=SequencePolicy(window=8, fill=True, fill_limit=2.0))


def summary(rig: Rig) -> SessionSummary:
    """The session's counts at its end."""
    rig.finish()
    ended = rig.published[-1]
    assert isinstance(ended, SessionEnded)
    return ended.summary


# Numbers.


def test_a_repeated_chunk_is_dropped_and_counted() -> None:
    """Its offset settles with the audio before it."""
    rig = Rig()
    rig.arrive(sequence=1)
    rig.arrive(sequence=1)
    assert len(rig.oracle.call.audio) == 500
    counts = summary(rig)
    assert (counts.records, counts.repeats, counts.audio_ms) == (2, 1, 250)


def test_a_repeat_behind_all_audio_settles_with_it() -> None:
    """Nothing else would take its offset along."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000, sequence=1)
    rig.arrive(1000, sequence=1)
    rig.take_all()
    rig.result(1.0)
    assert rig.settled_below == rig.next_offset
    rig.unreadable(sequence=2)
    assert rig.settled_below == rig.next_offset


def test_what_is_settled_needs_not_be_remembered() -> None:
    """The decoder may forget how to decode it again."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0)
    assert rig.decoder.forgotten_below == 101


def test_a_late_chunk_is_dead_lettered() -> None:
    """Its place in the call has gone by."""
    rig = Rig()
    rig.arrive(sequence=1)
    rig.arrive(sequence=3)
    late = rig.arrive(sequence=2)
    assert rig.dead == {late: "late"}
    assert rig.did(DeadLettered)
    assert summary(rig).dead_letters == 1


def test_a_gap_is_counted_but_not_filled_unless_asked() -> None:
    """Two chunks never came."""
    rig = Rig()
    rig.arrive(sequence=1)
    rig.arrive(sequence=4)
    counts = summary(rig)
    assert (counts.missing, counts.filled_ms, counts.audio_ms) == (2, 0, 500)


def test_a_gap_is_filled_with_as_much_silence_as_the_chunk_before_it_was_long() -> None:
    """The API hears the call at its pace, and the record after the gap holds the silence."""
    rig = Rig(FILLING)
    rig.arrive(300, sequence=1)
    rig.arrive(100, sequence=4)
    assert rig.oracle.call.filled == 600
    counts = summary(rig)
    assert (counts.missing, counts.filled_ms, counts.audio_ms) == (2, 600, 1000)
    assert bytes(rig.streams[0].given) == bytes(rig.oracle.call.audio)


def test_a_gap_is_filled_up_to_the_limit() -> None:
    """A jump of a million chunks costs two seconds."""
    rig = Rig(FILLING)
    rig.arrive(300, sequence=1)
    rig.arrive(300, sequence=1_000_000)
    assert summary(rig).audio_ms == 2600


def test_no_gap_is_filled_before_the_first_chunk_or_over_a_change_of_format() -> None:
    """Only between two chunks of one kind."""
    rig = Rig(FILLING)
    rig.arrive(300, sequence=7)
    rig.arrive(300, sequence=9, rate=Hertz(500))
    assert (rig.oracle.call.filled, summary(rig).missing) == (0, 1)


def test_a_gap_in_front_of_an_unreadable_chunk_is_not_forgotten() -> None:
    """It is counted at once and filled before the next good chunk."""
    rig = Rig(FILLING)
    rig.arrive(300, sequence=1)
    rig.unreadable(sequence=3)
    rig.arrive(300, sequence=4)
    counts = summary(rig)
    assert (counts.missing, counts.filled_ms) == (1, 300)


def test_a_start_mark_ends_a_gap() -> None:
    """What was missing before it belongs to nobody."""
    rig = Rig(FILLING)
    rig.arrive(300, sequence=1)
    rig.unreadable(sequence=3)
    rig.arrive(300, sequence=0, event=ChunkEvent.START)
    assert summary(rig).filled_ms == 0


def test_a_frame_that_was_cut_in_two_is_not_torn_apart_by_silence() -> None:
    """Its halves lie in two records, and the first must not settle before the second."""
    rig = Rig(FILLING)
    rig.arrive(payload=b"\x01" * 601, sequence=1)
    rig.arrive(payload=b"\x02" * 601, sequence=3)
    assert summary(rig).filled_ms == 0


def test_without_numbers_nothing_is_missing() -> None:
    """Nobody has to count."""
    rig = Rig(FILLING)
    rig.arrive()
    rig.arrive()
    assert summary(rig).missing == 0


# What can't be read, or holds no audio.


def test_an_unreadable_chunk_is_dead_lettered_and_settles() -> None:
    """The call goes on without it."""
    rig = Rig()
    rig.arrive(250)
    bad = rig.unreadable()
    rig.arrive(250)
    assert rig.dead == {bad: "bad-audio"}
    assert summary(rig).audio_ms == 500


def test_a_header_without_audio_opens_nothing() -> None:
    """A record that is only the beginning of something waits for the rest."""
    rig = Rig()
    header = rig.arrive(payload=b"\x01")
    assert rig.stream is None
    assert not rig.published
    assert rig.settled_below <= header
    rig.arrive(payload=b"\x02" * 999)
    assert rig.open_stream.base == 0
    rig.take_all()
    rig.result(0.5)
    rig.wait(2.0)
    assert rig.settled_below == header + 2


def test_a_header_that_stays_alone_settles_with_the_session() -> None:
    """No start, no end, nothing lost."""
    rig = Rig()
    rig.arrive(payload=b"\x01")
    rig.end()
    assert rig.closed
    assert (rig.published, rig.settled_below) == ([], rig.next_offset)


def test_a_chunk_without_audio_opens_nothing_and_settles_at_once() -> None:
    """A start mark may come alone."""
    rig = Rig()
    offset = rig.arrive(0, event=ChunkEvent.START)
    assert rig.actions == [Settle(Offset(offset + 1))]
