"""A record becomes audio, nothing or a dead letter, and keeps its place in all three."""

import pytest

from consumer.core.events import AudioReplayed, DeadLettered, Fetch, Settle
from consumer.core.policy import CoalescePolicy, MemoryPolicy, SequencePolicy, SessionPolicy
from consumer.model import ChunkEvent, Hertz, LevelChoice, Offset, SessionEnded, SessionSummary
from tests.core.rig import Rig

FILLING = SessionPolicy(sequence=SequencePolicy(window=8, fill=True, fill_limit=2.0))
SMALL = SessionPolicy(memory=MemoryPolicy(held=2000, fetch=1000))


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


# Memory.


def test_sent_audio_is_forgotten_first() -> None:
    """Above the cap the oldest that went out makes room."""
    rig = Rig(SMALL)
    for _ in range(8):
        rig.arrive(250)
        rig.take_all()
    assert rig.session.held <= 2000
    assert rig.stream is not None
    assert len(rig.stream.given) == 4000


def test_what_arrives_at_a_stream_that_takes_nothing_is_forgotten() -> None:
    """Its partition goes on, and the session asks for it when the stream takes more."""
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    assert not rig.asked
    rig.take_all()
    assert rig.asked
    rig.finish()
    assert bytes(rig.streams[0].given) == bytes(rig.oracle.call.audio)


def test_what_comes_after_forgotten_audio_is_forgotten_too() -> None:
    """It can't go out before it, and would only take its room."""
    rig = Rig(SMALL, released=False)
    rig.arrive(900)
    rig.arrive(500)
    rig.arrive(50)
    assert rig.session.held == 1800
    assert rig.session.tally.forgotten_bytes == 1100
    rig.finish()


def test_forgotten_audio_is_asked_for_a_part_at_a_time() -> None:
    """At most as many bytes as the policy says, in order, and not again before the answer."""
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    rig.take_all()
    assert list(rig.asked) == [112, 113]
    rig.look()
    assert not rig.did(Fetch)


def test_while_forgotten_audio_is_left_what_arrives_is_forgotten() -> None:
    """And kept again as soon as all of it is on its way back."""
    rig = Rig(SMALL)
    for _ in range(13):
        rig.arrive(250)
    rig.take_all()
    assert list(rig.asked) == [112]
    rig.arrive(100)
    assert rig.session.held == 2000 - 500 + 200
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    rig.take_all()
    assert list(rig.asked) == [112, 113]
    rig.arrive(100)
    assert rig.session.held == 2000 - 500
    rig.finish()


def test_an_answer_never_takes_memory_above_the_cap() -> None:
    """When it is not needed next, it has to wait: here a break has put other audio before it."""
    coalesce = CoalescePolicy(in_flight=0.5)
    rig = Rig(SessionPolicy(memory=MemoryPolicy(held=2000, fetch=2000), coalesce=coalesce))
    rig.arrive(900)
    rig.arrive(900)
    rig.take_all()
    assert list(rig.asked) == [101]
    rig.fail()
    rig.wait(5.0)
    assert (len(rig.open_stream.given), rig.session.held) == (1000, 1800)
    rig.replay()
    assert rig.session.held == 1800
    rig.finish()


def test_bad_records_are_remembered_only_while_they_are_unsettled() -> None:
    """A producer may send them for hours."""
    rig = Rig(level=LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.0)
    for _ in range(100):
        rig.unreadable()
    assert len(rig.dead) == 100
    assert len(rig.session._intake._given_up) <= 1


def test_a_chunk_larger_than_the_cap_is_forgotten_and_still_heard() -> None:
    """It comes back alone."""
    rig = Rig(SMALL)
    rig.arrive(5000)
    assert rig.session.held == 0
    assert list(rig.asked) == [100]
    rig.replay()
    assert rig.session.held == 10_000
    rig.finish()


def test_an_answer_that_does_not_fit_is_asked_for_again_later() -> None:
    """What is needed next goes first."""
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    rig.take_all()
    rig.squeeze(tight=True)
    while rig.replay():
        pass
    assert rig.session.held <= 1000
    rig.finish()


def test_audio_that_retention_has_deleted_becomes_silence() -> None:
    """It is dead-lettered by reference, once, and the rest keeps its place in the call."""
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    rig.take_all()
    gone = rig.asked[0]
    rig.replay(gone=True)
    assert rig.dead == {gone: "expired"}
    rig.fail()
    rig.finish()
    assert list(rig.dead) == [gone]
    assert bytes(500) in rig.streams[-1].given


def test_an_answer_for_a_settled_record_is_ignored() -> None:
    """It comes too late to matter."""
    rig = Rig(SMALL)
    rig.arrive(250)
    rig.take_all()
    rig.result(0.25)
    rig.wait(2.0)
    rig.tell(AudioReplayed(Offset(100), None))
    assert (rig.actions, rig.dead) == ([], {})


def test_tight_memory_makes_all_sessions_hold_less() -> None:
    """A quarter of the cap while the process is above its mark."""
    rig = Rig(SMALL)
    rig.squeeze(tight=True)
    for _ in range(8):
        rig.arrive(100)
    assert rig.session.held <= 500
    rig.squeeze(tight=False)
    rig.finish()


def test_bytes_forgotten_and_replayed_are_counted() -> None:
    """For the metrics."""
    rig = Rig(SMALL)
    for _ in range(20):
        rig.arrive(250)
    rig.finish()
    tally = rig.session.tally
    assert tally.forgotten_bytes >= tally.replayed_bytes > 0


@pytest.mark.parametrize("level", LevelChoice)
def test_all_that_came_is_sent_byte_for_byte(level: LevelChoice) -> None:
    """Odd splits, repeats and bad chunks in between."""
    rig = Rig(FILLING, level)
    rig.arrive(payload=b"\x01" * 333, sequence=1)
    rig.arrive(payload=b"\x02" * 333, sequence=2)
    rig.arrive(payload=b"\x03" * 100, sequence=2)
    rig.unreadable(sequence=3)
    rig.arrive(payload=b"\x04" * 444, sequence=5)
    rig.finish()
    assert bytes(rig.streams[0].given) == bytes(rig.oracle.call.audio)
