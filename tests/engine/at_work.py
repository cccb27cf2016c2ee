"""One worker at work, in a world of fakes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.codec.audio import SessionDecoder
from consumer.codec.records import decode_chunk
from consumer.core.identity import Identity
from consumer.core.offsets import Lane
from consumer.core.policy import SessionPolicy
from consumer.core.session import Session
from consumer.engine.replayer import Replayer
from consumer.engine.worker import Worker
from consumer.model import Incarnation, Offset, SessionKey
from tests.engine.home import FakeHome
from tests.engine.props import Numbers, React
from tests.engine.stand import CALLS, Stand


class Working:
    """A worker, its home and its world."""

    worker: Worker

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.home = FakeHome()
        self.over: list[Worker] = []

    def hear(self, seconds: float, chunk: float = 0.25) -> None:
        """The caller speaks and the worker gets the records."""
        for record in self.stand.speak(seconds=seconds, chunk=chunk):
            self.worker.arrive(record, decode_chunk(record, self.stand.defaults))


@asynccontextmanager
async def working(
    react: React | None = None, session: SessionPolicy | None = None
) -> AsyncIterator[Working]:
    """A worker for one call; the home takes notes."""
    numbers = Numbers(session=session or SessionPolicy())
    stand = Stand(react, numbers=numbers)
    at_work = Working(stand)
    key = SessionKey("call")
    async with stand.kitted() as kit:
        replayer = Replayer(kit)
        kit.spawn(replayer.run(), "replayer")
        identity = Identity(key, Incarnation(CALLS, 0, Offset(0)))
        brain = Session(identity, numbers.session, SessionDecoder(), kit.breaker, kit.held)
        for _ in range(5):  # others are live too, so one broken stream opens no breaker
            kit.breaker.joined()
        at_work.worker = Worker(
            key, brain, Lane(0), at_work.home, kit, replayer, at_work.over.append
        )
        yield at_work
        at_work.worker.drop()
