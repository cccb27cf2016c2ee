"""A session publishes who it is with everything it says."""

from consumer.core.events import AudioArrived
from consumer.core.identity import Identity
from consumer.core.tally import Tally
from consumer.model import (
    AudioChunk,
    AudioFormat,
    ChunkEvent,
    EndReason,
    Hertz,
    Incarnation,
    LevelChoice,
    Milliseconds,
    Offset,
    SessionKey,
    SessionResult,
    StreamConfig,
)
from tests.core.rig import KEY, Rig

CONFIG = StreamConfig(Hertz(8000), LevelChoice.ALL)


def chunk(tenant: str | None = None, **meta: str) -> AudioChunk:
    """A record that says something of its session."""
    return AudioChunk(
        key=KEY,
        offset=Offset(500),
        timestamp=Milliseconds(5),
        event=ChunkEvent.AUDIO,
        payload=b"",
        format=AudioFormat(),
        level=LevelChoice.ALL,
        tenant=tenant,
        meta=meta,
    )


def identity(*, resumed: bool = False) -> Identity:
    """A session's identity."""
    return Identity(SessionKey("call"), Incarnation("calls", 3, Offset(77)), resumed=resumed)


def test_an_incarnation_is_named_by_the_place_of_its_first_record() -> None:
    """So the same key tomorrow is another life."""
    assert str(identity().incarnation) == "calls:3:77"


def test_a_start_says_what_is_heard() -> None:
    """Format, level and time of the first audio."""
    said = identity(resumed=True).started(CONFIG, Milliseconds(9))
    assert (said.session, said.sample_rate, said.level) == ("call", 8000, LevelChoice.ALL)
    assert (said.timestamp, said.resumed, said.tenant, said.meta) == (9, True, None, {})


def test_the_newest_word_on_tenant_and_meta_counts() -> None:
    """A record that says nothing takes nothing back."""
    who = identity()
    who.learn(chunk("bank", line="a"))
    who.learn(chunk())
    who.learn(chunk(None, line="b"))
    said = who.ended(EndReason.IDLE, Milliseconds(9), Tally(), 1500)
    assert (said.tenant, said.meta) == ("bank", {"line": "b"})
    assert (said.reason, said.timestamp, said.summary.audio_ms) == (EndReason.IDLE, 9, 1500)


def test_records_tell_their_session_who_it_is() -> None:
    """Also those that add no audio."""
    rig = Rig()
    rig.arrive(1000)
    rig.tell(AudioArrived(chunk("bank", line="a")))
    rig.take_all()
    rig.result(1.0)
    assert (rig.results[0].tenant, rig.results[0].meta) == ("bank", {"line": "a"})


def test_a_result_carries_all_that_the_api_said() -> None:
    """Ids, label, predictions, and where it lies in the call and in the log."""
    rig = Rig()
    rig.arrive(1000)
    rig.arrive(1000)
    rig.take_all()
    rig.result(1.5, start=0.5, task="deepfake", label="spoofed")
    found = rig.results[-1]
    assert isinstance(found, SessionResult)
    assert (found.session, found.incarnation) == (KEY, Incarnation("calls", 0, Offset(100)))
    assert (found.stream, found.cid, found.pid, found.message_id) == (0, 1, 7, 0)
    assert (found.start_ms, found.end_ms, found.clamped) == (500, 1500, False)
    assert (found.final_label, found.predictions[0].label) == ("spoofed", "spoofed")
    assert found.offsets == (100, 101)
