"""Memory is bounded: audio is forgotten, and asked for when it is needed."""

import pytest

from consumer.core.events import AudioReplayed, Fetch
from consumer.core.policy import CoalescePolicy, MemoryPolicy, SequencePolicy, SessionPolicy
from consumer.model import LevelChoice, Offset
from tests.core.rig import Rig

FILLING = SessionPolicy(sequence=SequencePolicy(window=8, fill=True, fill_limit=2.0))
SMALL = SessionPolicy(memory=MemoryPolicy(held=2000, fetch=1000))


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
