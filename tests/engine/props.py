"""What a stand is made of: numbers to tune by, callers, and an API that knows its callers."""

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

from consumer.core.policy import (
    BreakerPolicy,
    CommitPolicy,
    FlowPolicy,
    IdlePolicy,
    SessionPolicy,
)
from consumer.errors import StreamFailed
from consumer.model import LevelChoice, StreamConfig, StreamMessage
from tests.fakes.analyzer import FakeAnalyzer, FakeStream

React = Callable[[FakeStream], None]


def voice(key: str, start: int, frames: int) -> bytes:
    """A stretch of this caller's audio: consecutive numbers, so that each sample is unique."""
    begin = crc32(key.encode()) + start
    return array("H", (number & 0xFFFF for number in range(begin, begin + frames))).tobytes()


@lru_cache(maxsize=64)
def all_of(key: str) -> bytes:
    """As much as this caller ever says in a test with an oracle."""
    return voice(key, 0, 10_000)


def voice_of(key: str, call: int) -> str:
    """Who speaks in the n-th call (from 0) under a key."""
    return f"{key} again {call}" if call else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the engine is tuned by in a test; the defaults are the product's."""

    session: SessionPolicy = field(default_factory=SessionPolicy)
    idle: IdlePolicy = field(default_factory=IdlePolicy)
    flow: FlowPolicy = field(default_factory=FlowPolicy)
    commit: CommitPolicy = field(default_factory=CommitPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    level: LevelChoice = LevelChoice.SEGMENT


class Line(FakeStream):
    """A fake stream that remembers what the server has said on it."""

    def __init__(self, number: int, config: StreamConfig, react: React | None) -> None:
        super().__init__(number, config, react)
        self.said: list[StreamMessage] = []

    def send(self, message: StreamMessage) -> None:
        """Answer something."""
        self.said.append(message)
        super().send(message)

    @property
    def ok(self) -> bool:
        """The server has ended it with OK, after our half-close."""
        return self.over and self.half_close_seen and self._end is None

    def refused(self, failure: StreamFailed) -> bool:
        """The server has ended it with this error."""
        return self._end is failure


class Api(FakeAnalyzer):
    """The fake API, which also knows whose stream is whose: of[key] in the order of opening."""

    def __init__(self, react: React | None) -> None:
        super().__init__(react)
        self.of: defaultdict[str, list[Line]] = defaultdict(list)

    async def open(self, config: StreamConfig) -> Line:
        """Open a stream; the asking task is named after its session."""
        await self.script.play("open")
        stream = Line(len(self.streams), config, self.react)
        self.streams.append(stream)
        self.opened.set()
        task = asyncio.current_task()
        owner = "" if task is None else task.get_name().rpartition(" of ")[2]
        self.of[owner].append(stream)
        return stream
