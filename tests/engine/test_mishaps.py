"""Everything goes wrong at random, and still nothing is lost, early, mixed up or out of order."""

import asyncio
import json
from collections.abc import Callable
from random import Random

import pytest

from consumer.core.policy import (
    BreakerPolicy,
    CommitPolicy,
    IdlePolicy,
    MemoryPolicy,
    SessionPolicy,
    StreamPolicy,
)
from consumer.errors import Fault, KafkaFailed, StreamFailed
from consumer.model import Level, LevelChoice
from tests.engine.ledger import Ledger
from tests.engine.props import Numbers, all_of, voice_of
from tests.engine.stand import RESULTS, SESSIONS, Stand, virtual_time
from tests.fakes.analyzer import FakeStream
from tests.fakes.judge import Judge

pytestmark = virtual_time

SEEDS = 24
SECONDS = 40
KEYS = ("a", "b", "c", "d", "e", "f")
FAULTS = (
    StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "going away"),
    StreamFailed(Fault.TRANSIENT, "INTERNAL", "oops"),
    StreamFailed(Fault.AUDIO, "INVALID_ARGUMENT", "not a voice"),
    StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", "expired"),
)


class Moody:
    """A judge with moods: streams break, end early, and stop reading for a while."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._temper = chance.choice((0.3, 1, 4))
        self._judge = Judge()
        self.well = False

    def __call__(self, stream: FakeStream) -> None:
        """React to what a stream has heard."""
        dice = 1.0 if self.well else self._chance.random()
        if dice < 0.01 * self._temper:
            stream.fail(self._chance.choice(FAULTS))
        elif dice < 0.015 * self._temper:
            stream.end()
        else:
            self._judge(stream)
        if 1 - 0.015 * self._temper < dice < 1:
            stream.stop_reading()
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 8), stream.read_on)


class Mishaps:
    """One world and its mishaps, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.moody = Moody(self.chance)
        choice = self.chance.choice((LevelChoice.SEGMENT, LevelChoice.ALL))
        self.numbers = Numbers(
            session=SessionPolicy(
                memory=MemoryPolicy(held=self.chance.choice((400, 2000, 1 << 20)), fetch=300),
                stream=StreamPolicy(horizon=10, stall_timeout=5, close_timeout=5),
            ),
            idle=IdlePolicy(timeout=36_000),
            commit=CommitPolicy(interval=0.5, poll=0.2, revoke=2),
            breaker=BreakerPolicy(poisoned=3),
            level=choice,
        )
        self.ledger = Ledger(Level(choice.governing))
        self.stands: list[Stand] = []
        self.replica()

    def replica(self) -> Stand:
        """Another one on the same cluster; callers go on where they are."""
        stand = Stand(
            self.moody,
            partitions=2,
            numbers=self.numbers,
            cluster=self.stands[0].cluster if self.stands else None,
        )
        if self.stands:
            stand.spoken, stand.calls = self.stands[0].spoken, self.stands[0].calls
        self.ledger.watch(stand)
        self.stands.append(stand)
        return stand

    def talk(self) -> None:
        """Callers speak, hang up, and call again."""
        stand = self.stands[0]
        for number, key in enumerate(KEYS):
            if self.chance.random() < 0.8:
                chunk = self.chance.choice((0.02, 0.25, 1.0))
                stand.speak(key, self.chance.uniform(0.2, 2), chunk=chunk, partition=number % 2)
            if self.chance.random() < 0.05 and stand.spoken[key]:
                stand.hang_up(key, partition=number % 2)
        if self.chance.random() < 0.05:
            stand.garble(3, partition=self.chance.randrange(2))

    def harm(self, stand: Stand) -> None:
        """Plan something for this replica's Kafka to do wrong."""
        failure = KafkaFailed("as chance wants it")
        bad: list[Callable[[], object]] = [
            lambda: stand.sink.script.fail("send", failure, failure),
            lambda: stand.source.script.fail("commit", failure),
            lambda: stand.source.script.fail("poll", failure),
            lambda: stand.replay.script.fail("read", failure),
            lambda: stand.api.script.fail("open", FAULTS[0]),
            lambda: self.lose_acknowledgements(stand),
        ]
        if self.chance.random() < 0.3:
            self.chance.choice(bad)()

    @staticmethod
    def lose_acknowledgements(stand: Stand) -> None:
        """For a second nothing is acknowledged, and then it has failed."""

        def refuse() -> None:
            stand.sink.refuse(KafkaFailed("timed out"))
            stand.sink.release()

        stand.sink.hold()
        asyncio.get_running_loop().call_later(1, refuse)

    async def disturb(self, stand: Stand) -> None:
        """The group rebalances, or throws the replica out."""
        dice = self.chance.random()
        if dice < 0.04:
            await stand.source.group.rebalance()
        elif dice < 0.06:
            await stand.source.group.expel(stand.source)

    async def play(self) -> None:
        """Calls, mishaps and crashes; then all is well and everything must come to its end."""
        stand = self.stands[0]
        engine = asyncio.create_task(stand.serve(), name="engine")
        for _ in range(SECONDS):
            self.talk()
            self.harm(stand)
            await asyncio.sleep(self.chance.uniform(0.5, 1.5))
            await self.disturb(stand)
            if self.chance.random() < 0.03:
                await self.crash(engine)
                stand = self.replica()
                engine = asyncio.create_task(stand.serve(), name="engine")
            assert not engine.done(), engine.result()
        self.moody.well = True
        for number, key in enumerate(KEYS):
            stand.hang_up(key, partition=number % 2)
        await stand.until(lambda: engine.done() or stand.done)
        stand.stop()
        await engine

    async def crash(self, engine: "asyncio.Task[None]") -> None:
        """The engine is gone from one moment to the next."""
        engine.cancel()
        await asyncio.wait([engine])
        assert engine.cancelled()

    def check(self) -> None:
        """What must hold, whatever happened."""
        for stand in self.stands:
            for key in KEYS:
                self.check_audio(stand, key)
                self.check_order(stand, key)

    @staticmethod
    def check_audio(stand: Stand, key: str) -> None:
        """Every stream carries a stretch of one call, byte for byte."""
        voices = [all_of(voice_of(key, n)) for n in range(stand.calls[key] + 1)]
        for audio in stand.audio(key):
            assert any(audio in whole for whole in voices), f"not the audio of {key}"

    @staticmethod
    def check_order(stand: Stand, key: str) -> None:
        """A session's results at a level do not overlap and do not go back.

        One that is taken anew after a rebalance says so, and begins again where it was committed.
        """
        ends: dict[str, float] = {}
        for record in stand.sink.sent:
            if record.key != key.encode() or record.topic not in (RESULTS, SESSIONS):
                continue
            said = json.loads(record.value or b"{}")
            if said.get("event") == "started":
                ends.clear()
            elif record.topic == RESULTS:
                assert ends.get(said["level"], 0) <= said["start"] <= said["end"], said
                ends[said["level"]] = said["end"]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_goes_wrong_nothing_is_lost_early_or_out_of_order(seed: int) -> None:
    """Commits are checked against an oracle as they happen, the outcome at the end."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    before = asyncio.all_tasks()
    world = Mishaps(seed)
    await world.play()
    world.check()
    assert world.stands[-1].done
    assert world.ledger.commits > 0
    await asyncio.sleep(1)
    assert asyncio.all_tasks() <= before
    assert complaints == []
