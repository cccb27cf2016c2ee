"""A world in which everything goes wrong at random, all of it from one seed.

Replicas come, go and crash, the group rebalances or throws one out, Kafka's calls fail, and the API
has its moods.
"""

import asyncio
from collections.abc import Callable
from random import Random

from consumer.core.policy import (
    BreakerPolicy,
    CommitPolicy,
    IdlePolicy,
    MemoryPolicy,
    SessionPolicy,
    StreamPolicy,
)
from consumer.errors import Fault, KafkaFailed, StreamFailed
from consumer.model import LevelChoice, StreamConfig
from tests.engine.ledger import Ledger
from tests.engine.moods import Moody, Weather
from tests.engine.props import Line, Numbers
from tests.engine.stand import Stand, settle_down
from tests.engine.witness import Witness

KEYS = ("a", "b", "c", "d", "e", "f")
TRANSACTING = ("start", "begin", "send", "commit")
_SECONDS = 30
_PARTITIONS = 2


class Replica:
    """One replica at work on the cluster of the first."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.engine = asyncio.create_task(stand.serve(), name="engine")

    async def crash(self) -> None:
        """It is gone from one moment to the next."""
        self.engine.cancel()
        await asyncio.wait([self.engine])
        assert self.engine.cancelled(), self.engine.exception()

    async def retire(self) -> None:
        """It is asked to go, and hands over."""
        await self.stand.until(lambda: self.stand.pipeline is not None)
        self.stand.stop()
        await self.engine


class Chaos:
    """stands: all replicas there ever were. ledger: the oracle of commits."""

    def __init__(self, seed: int, *, exactly_once: bool) -> None:
        self.exactly_once = exactly_once
        self.chance = Random(seed)
        self.weather = Weather(self.chance)
        self.level = self.chance.choice((LevelChoice.SEGMENT, LevelChoice.ALL))
        self.numbers = Numbers(
            session=SessionPolicy(
                memory=MemoryPolicy(held=self.chance.choice((400, 2000, 1 << 20)), fetch=300),
                stream=StreamPolicy(horizon=10, stall_timeout=5, close_timeout=5),
            ),
            idle=IdlePolicy(timeout=36_000),
            commit=CommitPolicy(interval=0.5, poll=0.2, revoke=2),
            breaker=BreakerPolicy(poisoned=3),
            level=self.level,
        )
        self.ledger = Ledger(self.level.governing)
        self.stands: list[Stand] = []
        self.witnesses: list[Witness] = []
        self._replicas: list[Replica] = []

    async def play(self) -> None:
        """Calls and mishaps; then all is well, and everything must come to its end."""
        self.join()
        for _ in range(_SECONDS):
            self.talk()
            self.plan()
            await asyncio.sleep(self.chance.uniform(0.5, 1.5))
            await self.disturb()
            self.check_alive()
        self.weather.storm = 0
        for number, key in enumerate(KEYS):
            self.stands[0].hang_up(key, partition=number % _PARTITIONS)
        await self.come_to_rest()

    async def come_to_rest(self) -> None:
        """Everything is committed, nothing is in memory, and the replicas go."""
        engines = [replica.engine for replica in self._replicas]
        last = self._replicas[-1].stand
        await last.until(lambda: last.done or any(engine.done() for engine in engines))
        self.check_alive()
        await asyncio.sleep(1.5)
        for replica in self._replicas:
            gauges = replica.stand.metrics.values
            for name in ("sessions_live", "streams_open", "held_bytes", "unsettled_records"):
                assert gauges[name] == 0, f"{name}: {gauges[name]}"
        for replica in list(self._replicas):
            await replica.retire()
        assert last.done

    def check_alive(self) -> None:
        """Fail with the engine's own error when one has ended."""
        for replica in self._replicas:
            assert not replica.engine.done(), replica.engine.result()

    def join(self) -> None:
        """One more replica."""
        stand = Stand(
            Moody(self.weather),
            partitions=_PARTITIONS,
            numbers=self.numbers,
            cluster=self.stands[0].cluster if self.stands else None,
            exactly_once=self.exactly_once,
        )
        self.stands.append(stand)
        self.ledger.watch(stand)
        self.witnesses.append(Witness(stand))
        self.watch(stand)
        self._replicas.append(Replica(stand))

    def watch(self, stand: Stand) -> None:
        """Fail when a caller gets a second stream while the first one is open, wherever."""
        opens = stand.api.open

        async def alone(config: StreamConfig) -> Line:
            line = await opens(config)
            key = next(key for key, lines in stand.api.of.items() if line in lines)
            lines = [each for other in self.stands for each in other.api.of.get(key, ())]
            assert [each for each in lines if not each.over] == [line], f"two streams of {key}"
            return line

        stand.api.open = alone  # type: ignore[method-assign] # a look over the shoulder

    def talk(self) -> None:
        """Callers speak, hang up, and call again."""
        stand = self.stands[0]
        for number, key in enumerate(KEYS):
            place = number % _PARTITIONS
            if self.chance.random() < 0.8:
                chunk = self.chance.choice((0.05, 0.25, 1.0))
                stand.speak(key, self.chance.uniform(0.2, 2), chunk=chunk, partition=place)
            if self.chance.random() < 0.05 and stand.spoken[key]:
                stand.hang_up(key, partition=place)
        if self.chance.random() < 0.05:
            stand.garble(3, partition=self.chance.randrange(_PARTITIONS))

    def plan(self) -> None:
        """Plan something for a replica's Kafka to do wrong."""
        stand = self.chance.choice(self._replicas).stand
        mishaps: list[Callable[[], object]] = [
            lambda: stand.sink.script.fail("send", failed(), failed()),
            lambda: stand.source.script.fail("commit", failed()),
            lambda: stand.source.script.fail("poll", failed()),
            lambda: stand.source.script.fail("place", failed()),
            lambda: stand.replay.script.fail("read", failed()),
            lambda: stand.api.script.fail("open", unavailable()),
            lambda: stand.source.script.fail("standing", failed()),
            lambda: stand.checkpoints.script.fail("read", failed()),
            lambda: stand.transactions.fail(self.chance.choice(TRANSACTING), failed()),
            lambda: self.lose_the_answer(stand),
            lambda: self.hold_acknowledgements(stand),
        ]
        if self.weather.strikes(0.3):
            self.chance.choice(mishaps)()

    def lose_the_answer(self, stand: Stand) -> None:
        """A transaction is committed, and nobody hears of it."""
        if stand.transactors:
            self.chance.choice(stand.transactors).lost = True

    def hold_acknowledgements(self, stand: Stand) -> None:
        """For a second nothing is acknowledged; what has piled up then does not go smoothly."""
        fails = self.chance.random() < 0.5

        def resolve() -> None:
            if fails:
                stand.sink.refuse(KafkaFailed("timed out"))
            stand.sink.release()
            stand.sink.script.fail("send", failed())

        stand.sink.hold()
        asyncio.get_running_loop().call_later(1, resolve)

    async def disturb(self) -> None:
        """The group rebalances, or a replica is thrown out, crashes, comes or goes."""
        replica = self.chance.choice(self._replicas)
        source = replica.stand.source
        if self.weather.strikes(0.04):
            await source.group.rebalance()
        if self.weather.strikes(0.03):
            await source.group.expel(source)
        if self.weather.strikes(0.04):
            self._replicas.remove(replica)
            await replica.crash()
            self.join()
        if self.weather.strikes(0.06):
            if len(self._replicas) < 2:
                self.join()
            else:
                await self._replicas.pop(0).retire()
        await settle_down()


def failed() -> KafkaFailed:
    """A new one each time: an error that is raised keeps all whom it has passed."""
    return KafkaFailed("as chance wants it")


def unavailable() -> StreamFailed:
    """Another that is raised as it is."""
    return StreamFailed(Fault.TRANSIENT, "UNAVAILABLE", "no connection")
