"""Ways into each state, and news to be told there."""

from collections.abc import Callable, Mapping

from consumer.core.events import (
    AudioReplayed,
    AudioTaken,
    Event,
    ResultArrived,
    StreamBroke,
    StreamEnded,
)
from consumer.core.policy import RetryPolicy, SessionPolicy, StreamPolicy
from consumer.core.states import State
from consumer.errors import Fault
from consumer.model import (
    EndReason,
    Frames,
    Hertz,
    LevelChoice,
    Offset,
    SessionKey,
    StreamMessage,
    StreamNumber,
)
from tests.core.rig import Rig

POLICY = SessionPolicy(
    retry=RetryPolicy(attempts=1, stuck=300.0), stream=StreamPolicy(horizon=30.0)
)
NOBODY = StreamNumber(99)
"""A stream that there never was: its news change nothing, so only time has its say."""

Story = Callable[[], Rig]
Told = Callable[[Rig], object]


def later(seconds: float, story: Story) -> Story:
    """The story, and then the alarm is late by so much."""

    def told() -> Rig:
        rig = story()
        rig.now += seconds
        return rig

    return told


def outage(story: Story) -> Story:
    """The story, and then the API breaks down, as others find out."""

    def told() -> Rig:
        rig = story()
        rig.breaker.failed(SessionKey("another call"), Fault.SETTINGS, "refused", rig.now)
        return rig

    return told


def fresh(*, released: bool = True, others: int = 5) -> Rig:
    """IDLE: nothing has come."""
    return Rig(POLICY, LevelChoice.UTTERANCE, released=released, others=others)


def waiting() -> Rig:
    """IDLE: audio, but a predecessor."""
    rig = fresh(released=False)
    rig.arrive(1000)
    return rig


def waiting_ended() -> Rig:
    """IDLE: audio and an end mark, but a predecessor."""
    rig = waiting()
    rig.end()
    return rig


def ended_before_all() -> Rig:
    """IDLE: an end mark, but a predecessor."""
    rig = fresh(released=False)
    rig.end()
    return rig


def heard(others: int = 5) -> Rig:
    """STREAMING: all is taken, up to a whole second."""
    rig = fresh(others=others)
    rig.arrive(1000)
    rig.take_all()
    return rig


def unheard(others: int = 5) -> Rig:
    """STREAMING: nothing is taken."""
    rig = fresh(others=others)
    rig.arrive(1000)
    return rig


def unheard_ended() -> Rig:
    """STREAMING: more than the stream takes at once, and no more to come."""
    rig = fresh()
    rig.arrive(9000)
    rig.end()
    return rig


def long_unheard() -> Rig:
    """STREAMING, stuck: taken, not judged, and the horizon too far to help."""
    rig = Rig(SessionPolicy(retry=RetryPolicy(stuck=10.0)), LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    return rig


def near_limit() -> Rig:
    """STREAMING, and the API allows ten seconds."""
    policy = SessionPolicy(stream=StreamPolicy(limit=10.0))
    rig = Rig(policy, LevelChoice.UTTERANCE)
    rig.arrive(1000)
    rig.take_all()
    return rig


def closing(others: int = 5) -> Rig:
    """CLOSING: the format has changed."""
    rig = heard(others)
    rig.arrive(100, rate=Hertz(500))
    assert rig.take()
    return rig


def closing_twice() -> Rig:
    """CLOSING: the format has changed twice."""
    rig = closing()
    rig.arrive(100, rate=Hertz(700))
    return rig


def closing_ended() -> Rig:
    """CLOSING: the end mark has come."""
    rig = heard()
    rig.end()
    rig.take_all()
    return rig


def closing_judged() -> Rig:
    """CLOSING: the end mark has come, and everything is judged."""
    rig = closing_ended()
    rig.result(1.0)
    return rig


def closing_rolled() -> Rig:
    """CLOSING: everything is judged, and the call goes on."""
    rig = near_limit()
    rig.now = 9.5
    rig.look()
    rig.take_all()
    rig.result(1.0)
    return rig


def closing_without_audio() -> Rig:
    """CLOSING: by its limit, with none of its audio at hand."""
    policy = SessionPolicy(
        retry=RetryPolicy(stuck=10.0), stream=StreamPolicy(limit=10.0, close_timeout=90.0)
    )
    rig = Rig(policy, LevelChoice.UTTERANCE)
    rig.arrive(1_000_000)
    rig.now = 9.5
    rig.look()
    rig.take_all()
    return rig


def broken() -> Rig:
    """BACKOFF: with audio to send again."""
    rig = heard()
    rig.fail()
    return rig


def broken_ended() -> Rig:
    """BACKOFF: with audio to send again and no more to come."""
    rig = broken()
    rig.end()
    return rig


def parked() -> Rig:
    """PARKED: with audio to send again."""
    rig = heard(others=0)
    rig.fail()
    return rig


def parked_judged() -> Rig:
    """PARKED: with nothing to send."""
    rig = heard(others=0)
    rig.result(1.0)
    rig.fail()
    return rig


def unparked() -> Rig:
    """PARKED: the API works again, and nobody has told the session."""
    rig = parked()
    rig.breaker.probing()
    rig.breaker.probed(None, rig.now)
    return rig


def poisoned() -> Rig:
    """POISONED: the API refused the audio."""
    rig = heard()
    rig.fail(Fault.AUDIO)
    return rig


STORIES: Mapping[State, list[Story]] = {
    State.IDLE: [fresh, outage(fresh), waiting, outage(waiting), waiting_ended, ended_before_all],
    State.STREAMING: [
        heard, later(20, near_limit), later(100, unheard), later(100, lambda: unheard(0)),
        later(20, long_unheard), later(400, unheard_ended),
    ],
    State.CLOSING: [
        closing, outage(closing), closing_twice, closing_ended, closing_judged, closing_rolled,
        later(60, closing), later(60, lambda: closing(0)), later(60, closing_judged),
        later(400, closing), later(400, closing_ended), later(20, closing_without_audio),
    ],
    State.BACKOFF: [
        broken, later(5, broken), later(5, broken_ended), later(5, outage(broken)),
        later(400, broken), later(400, broken_ended),
    ],
    State.PARKED: [parked, parked_judged, unparked],
    State.POISONED: [poisoned, outage(poisoned)],
}  # fmt: skip
"""Ways into each state, and what may be due there."""


def ok(rig: Rig) -> None:
    """The open stream ends well, if there is one."""
    if rig.stream is not None:
        rig.ok()


def broke(fault: Fault) -> Told:
    """The open stream breaks, if there is one."""

    def told(rig: Rig) -> None:
        if rig.stream is not None:
            rig.fail(fault)

    return told


def hears(told: Told) -> Told:
    """Only told to sessions that take audio."""
    return lambda rig: None if rig.session.ending else told(rig)


def released(rig: Rig) -> None:
    """Only told to sessions that wait for it."""
    if not rig.oracle.released:
        rig.release()


def tell(event: Event) -> Told:
    """Tell this."""
    return lambda rig: rig.tell(event)


NEWS: list[Told] = [
    hears(lambda rig: rig.arrive(1000)),
    hears(lambda rig: rig.arrive(1000, rate=Hertz(1600))),
    hears(lambda rig: rig.end()),
    hears(lambda rig: rig.end(EndReason.IDLE)),
    lambda rig: rig.drain(),
    lambda rig: rig.look(),
    released,
    ok,
    broke(Fault.TRANSIENT),
    broke(Fault.AUDIO),
    broke(Fault.SETTINGS),
    tell(AudioReplayed(Offset(1), None)),
    tell(AudioTaken(NOBODY, Frames(1))),
    tell(ResultArrived(NOBODY, StreamMessage(1, 1, 0, ()))),
    tell(StreamEnded(NOBODY, half_closed=True)),
    tell(StreamBroke(NOBODY, Fault.AUDIO, "INVALID_ARGUMENT", "old")),
]
