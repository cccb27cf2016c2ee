"""The tape keeps every record's place, and its bytes as long as they are not forgotten."""

import pytest

from consumer.core.tape import Tape
from consumer.errors import LocalProtocolError
from consumer.model import Milliseconds, Offset


def filled(*frames: int) -> Tape:
    """A tape of records 10, 11, 12 ... with so many frames each; bytes count up from 0."""
    tape = Tape()
    for number, length in enumerate(frames):
        audio = bytes([number]) * 2 * length
        tape.append(Offset(10 + number), length, audio, Milliseconds(1000 + number))
    return tape


def test_a_new_tape_is_empty_and_begins_at_frame_zero() -> None:
    """A new tape holds nothing."""
    tape = Tape()
    assert (len(tape), tape.end, tape.last, tape.held) == (0, 0, None, 0)


def test_frames_are_counted_through_over_records() -> None:
    """The end lies after the newest record's frames."""
    tape = filled(3, 0, 4)
    assert (len(tape), tape.end, tape.last, tape.held) == (3, 7, 12, 14)


def test_an_offset_must_grow() -> None:
    """The same record can't be added twice."""
    tape = filled(1)
    with pytest.raises(LocalProtocolError, match="offset 10 after 10"):
        tape.append(Offset(10), 1, b"xx", Milliseconds(0))


def test_reading_within_one_record_cuts_it() -> None:
    """Any span of frames can be read."""
    tape = Tape()
    tape.append(Offset(1), 3, b"aabbcc", Milliseconds(0))
    assert tape.read(1, 2) == b"bb"
    assert tape.read(0, 3) == b"aabbcc"


def test_reading_across_records_joins_them() -> None:
    """A span may begin in one record and end in another."""
    assert filled(2, 0, 2, 2).read(1, 5) == bytes([0, 0, 2, 2, 2, 2, 3, 3])


def test_nothing_is_read_from_an_empty_span() -> None:
    """No frames, no bytes."""
    assert filled(2).read(2, 2) == b""


def test_forgotten_audio_can_not_be_read() -> None:
    """Reading what is forgotten is a bug of the caller."""
    tape = filled(2, 2)
    tape.forget_before(2, 0)
    with pytest.raises(LocalProtocolError, match="frame 1 is forgotten"):
        tape.read(1, 3)


def test_the_oldest_is_forgotten_first_and_only_as_much_as_needed() -> None:
    """Forgetting stops at the limit, and at the frame that is still needed."""
    tape = filled(2, 2, 2)
    assert tape.forget_before(4, 9) == 4
    assert tape.held_until(0, 6) == 0
    assert tape.held_until(2, 6) == 6
    assert tape.forget_before(3, 0) == 0
    assert tape.forget_before(4, 0) == 4
    assert tape.held == 4


def test_the_newest_is_forgotten_from_a_frame_on() -> None:
    """What holds the frame itself is spared."""
    tape = filled(2, 2, 2)
    assert tape.forget_from(1, 0) == 8
    assert (tape.held, tape.held_until(0, 6)) == (4, 2)


def test_forgetting_the_newest_stops_at_the_limit() -> None:
    """No more is forgotten than is needed."""
    assert filled(2, 2, 2).forget_from(0, 8) == 4


def test_forgotten_audio_is_asked_for_up_to_a_limit() -> None:
    """What lies together is fetched together, but one record at least."""
    tape = filled(2, 2, 0, 2, 2)
    tape.forget_before(8, 0)
    assert tape.missing(0, 8) == (10, 11)
    assert tape.missing(0, 1) == (10,)
    assert tape.missing(2, 100) == (11, 13, 14)


def test_forgotten_audio_behind_held_audio_waits() -> None:
    """Only the first stretch is asked for."""
    tape = filled(2, 2, 2)
    tape.forget_before(2, 0)
    tape.forget_from(4, 4)
    assert tape.missing(0, 100) == (10,)
    assert tape.missing(2, 100) == (12,)


def test_a_restored_record_can_be_read_again() -> None:
    """Its bytes come back to their place."""
    tape = filled(2, 2)
    tape.forget_before(4, 0)
    tape.restore(Offset(11), b"abcd")
    assert (tape.held, tape.held_until(2, 4)) == (4, 4)
    assert tape.read(2, 4) == b"abcd"
    assert tape.forget_before(4, 0) == 4


def test_restoring_what_is_held_or_unknown_changes_nothing() -> None:
    """Nothing is restored twice."""
    tape = filled(2)
    tape.restore(Offset(10), b"abcd")
    tape.restore(Offset(99), b"abcd")
    assert (tape.held, tape.read(0, 2)) == (4, bytes(4))


def test_a_restored_record_must_have_its_old_length() -> None:
    """Another length would shift all that follows."""
    tape = filled(2)
    tape.forget_before(2, 0)
    with pytest.raises(LocalProtocolError, match="another length"):
        tape.restore(Offset(10), b"ab")


def test_records_settle_when_all_their_frames_are_judged() -> None:
    """The offset returned is that of the oldest record that is left."""
    tape = filled(2, 2, 2)
    assert tape.settle(1) is None
    assert tape.settle(4) == 12
    assert (len(tape), tape.held) == (1, 4)
    assert tape.settle(6) == 13


def test_an_open_record_settles_only_with_the_frame_it_begins() -> None:
    """The first byte of a frame is in it, and the frame is not judged before it is whole."""
    tape = Tape()
    tape.append(Offset(1), 2, b"aabb", Milliseconds(0), is_open=True)
    tape.append(Offset(2), 1, b"cc", Milliseconds(0))
    assert tape.settle(2) is None
    assert tape.settle(3) == 3


def test_a_record_without_frames_settles_with_the_audio_before_it() -> None:
    """A repeat holds nothing up."""
    tape = filled(2, 0, 2)
    assert tape.settle(2) == 12


def test_everything_settles_at_the_end() -> None:
    """An open record that was never completed settles then, too."""
    tape = Tape()
    assert tape.settle_all() is None
    tape.append(Offset(1), 0, b"", Milliseconds(0), is_open=True)
    assert tape.settle(0) is None
    assert tape.settle_all() == 2


def test_a_record_knows_its_frames_and_the_silence_in_front() -> None:
    """What a replay needs to put a record back."""
    tape = filled(3)
    tape.append(Offset(20), 5, bytes(10), Milliseconds(0), fill=2)
    assert (tape.frames_of(Offset(10)), tape.frames_of(Offset(20))) == (3, 5)
    assert (tape.fill_of(Offset(10)), tape.fill_of(Offset(20))) == (0, 2)
    assert tape.frames_of(Offset(15)) is None
    assert tape.covers(Offset(20), 3)
    assert not tape.covers(Offset(20), 8)
    assert not tape.covers(Offset(15), 3)
    tape.settle(3)
    assert tape.frames_of(Offset(10)) is None


def test_only_records_with_audio_or_an_open_frame_are_worth_a_dead_letter() -> None:
    """Repeats have no place in the dead letters."""
    tape = filled(2, 0)
    tape.append(Offset(30), 0, None, Milliseconds(0), is_open=True)
    assert tape.offsets() == (10, 30)


def test_a_span_names_its_records_and_when_its_last_audio_was_captured() -> None:
    """First and last record under the span."""
    tape = filled(2, 2, 2)
    assert tape.records(1, 3) == (10, 11, 1001)
    assert tape.records(2, 4) == (11, 11, 1001)
    assert tape.records(2, 5) == (11, 12, 1002)


def test_a_span_that_is_settled_is_placed_at_the_nearest_record() -> None:
    """A late result of a finished stretch still has offsets."""
    tape = filled(2, 2, 2)
    tape.settle(4)
    assert tape.records(0, 2) == (12, 12, 1002)
    tape.settle(6)
    assert tape.records(0, 2) == (12, 12, 1002)
