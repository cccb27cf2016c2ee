"""An API that fails the streams of some callers, as the test wants it."""

from consumer.core.policy import BreakerPolicy, FlowPolicy, SessionPolicy
from consumer.errors import Fault, StreamFailed
from tests.engine.props import Numbers
from tests.engine.stand import Stand
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

UNAVAILABLE = StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away")
UNAUTHENTICATED = StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "bad token")
INVALID = StreamFailed(Fault.AUDIO, "INVALID_ARGUMENT", "not a voice")


class Temper:
    """A judge that fails the streams of some callers; `moods` says which and how."""

    def __init__(self) -> None:
        self.judge = Judge()
        self.moods: dict[str, StreamFailed] = {}
        self.stand: Stand

    def __call__(self, stream: FakeStream) -> None:
        """React to what a stream has heard."""
        owner = next(key for key, streams in self.stand.api.of.items() if stream in streams)
        if owner in self.moods:
            stream.fail(self.moods[owner])
        else:
            self.judge(stream)


def tempered(
    session: SessionPolicy | None = None,
    flow: FlowPolicy | None = None,
    breaker: BreakerPolicy | None = None,
) -> tuple[Stand, Temper]:
    """A world whose API can be made to refuse callers."""
    temper = Temper()
    numbers = Numbers(
        session=session or SessionPolicy(),
        flow=flow or FlowPolicy(),
        breaker=breaker or BreakerPolicy(),
    )
    stand = Stand(temper, numbers=numbers)
    temper.stand = stand
    return stand, temper
