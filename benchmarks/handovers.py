"""What a call that changes hands costs: audio that the API hears twice, and a stall.

Calls are fed at the pace at which they are spoken, each at another place of its sentences. Then
one of three things happens: a replica is told to stop and another takes over; a replica joins; a
replica is killed. The service has its default settings, the brokers are Apache Kafka (Java 17 and
Maven). What was heard twice and when comes from the sandbox's audit. A call's stall lasts from the
last audio that its old owner sent to the first of the new one, who then catches up.

Each run counts only if the end-to-end oracle has nothing to complain of.
"""

import argparse
import asyncio
import signal
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.e2e.calls import READING, Call, call, looped, spoken
from tests.e2e.evidence import Stream
from tests.e2e.process import Consumer
from tests.e2e.stage import Stage
from tests.kafka.cluster import Cluster, cluster

DELIVERIES = ("at_least_once", "exactly_once")

_PARTITIONS = 6
_RATE = 16_000
_CHUNK_MS = 100
_AFTERWARDS_SECONDS = 60
"""Of every call: enough for the longest stall."""
_CATCH_UP_SECONDS = 5
_DEFAULTS = {
    "KAFKA__SESSION_TIMEOUT_SECONDS": 20,
    "KAFKA__HEARTBEAT_SECONDS": 3,
    "KAFKA__TRANSACTION_TIMEOUT_SECONDS": 15,
    "COMMIT__INTERVAL_SECONDS": 1,
}
"""Of the service, where the stage has others."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call that has moved, in seconds."""

    twice: float
    stall: float


@dataclass(slots=True)
class Run:
    """One thing that happens to the calls on one stage. settings: of every replica."""

    stage: Stage
    calls: Sequence[Call]
    settings: Mapping[str, object]

    async def play(self, seconds: float, happening: "Happening") -> list[Cost]:
        """Two replicas, so many seconds of all calls, what happens, and all calls to their end."""
        stage = self.stage
        await stage.start(**self.settings)
        await stage.start_consumer(**self.settings)
        before = await self._owners()
        async with stage.feeder.steadily(self.calls):
            await stage.until(lambda: self._fed >= seconds, "enough was fed", 2 * seconds + 60)
            await happening(self)
            after = await self._owners()
            await asyncio.sleep(_CATCH_UP_SECONDS)
        await stage.feeder.play(self.calls, end=True)
        await stage.over(120)
        if complaints := await stage.complaints(restarted=True, compared=()):
            raise RuntimeError(f"this run does not count: {complaints}")
        return self._costs({number for number in before if before[number] is not after[number]})

    async def stop(self) -> None:
        """The first of two replicas is told to stop, and hands over."""
        if code := await self.stage.consumers.pop(0).stop():
            raise RuntimeError(f"exit code {code}")

    async def join(self) -> None:
        """A third replica joins two."""
        await self.stage.start_consumer(**self.settings)

    async def kill(self) -> None:
        """The first of two replicas is killed."""
        await self.stage.consumers.pop(0).stop(signal.SIGKILL)

    @property
    def _fed(self) -> float:
        sent = self.stage.feeder.sent
        return min(
            (sent[one.key].frames / _RATE for one in self.calls if one.key in sent), default=0
        )

    async def _owners(self) -> Mapping[int, Consumer]:
        """Who has which partition, once each has its share."""
        owners: dict[int, Consumer] = {}

        async def shared() -> bool:
            owners.clear()
            shares = [(one, await one.epochs()) for one in self.stage.consumers]
            owners.update({number: one for one, epochs in shares for number in epochs})
            share = _PARTITIONS / len(shares)
            return len(owners) == _PARTITIONS and all(len(has) == share for _, has in shares)

        await self.stage.until(shared, "the same number of partitions for each replica")
        return owners

    def _costs(self, moved: Collection[int]) -> list[Cost]:
        """Of the calls on these partitions, which must be all that were on two streams."""
        streams = [stream for stream in self.stage.streams if stream.audio]
        found = []
        for one in self.calls:
            its = [stream for stream in streams if stream.audio in one.heard]
            if len(its) != (2 if one.partition in moved else 1):
                raise RuntimeError(f"{one.key} was on {len(its)} streams")
            if one.partition in moved:
                found.append(_cost(one, *its))
        return found


def _cost(one: Call, old: Stream, new: Stream) -> Cost:
    if old.last_ms is None or new.first_ms is None:
        raise RuntimeError(f"the audit does not tell when {one.key} was heard")
    twice = len(old.audio) + len(new.audio) - len(one.heard)
    return Cost(twice / 2 / _RATE, (new.first_ms - old.last_ms) / 1000)


Happening = Callable[[Run], Awaitable[None]]
HAPPENINGS: Mapping[str, Happening] = {
    "SIGTERM, another takes over": Run.stop,
    "another replica joins": Run.join,
    "kill -9": Run.kill,
}


def _calls(count: int, seconds: float) -> list[Call]:
    """Each begins at another place, so that what happens meets them in all states."""
    length = seconds + _AFTERWARDS_SECONDS
    sound = looped(spoken(READING, _RATE), length, _RATE)
    step = len(spoken(READING, _RATE)) // count
    return [
        call(
            f"call-{number}",
            np.roll(sound, -number * step),
            partition=number % _PARTITIONS,
            rate=_RATE,
            chunk_ms=_CHUNK_MS,
        )
        for number in range(count)
    ]


async def measure(kafka: Cluster, folder: Path, count: int, seconds: float) -> None:
    """Everything that happens, with both deliveries, and the table."""
    print(f"{'':<29}{'':<15}{'calls':>6}   sent twice (mean, max)   stall (mean, max)")
    calls = _calls(count, seconds)
    for name, happening in HAPPENINGS.items():
        for delivery in DELIVERIES:
            place = folder / f"{name}-{delivery}"
            place.mkdir()
            async with Stage(place, partitions=_PARTITIONS, apache=kafka) as stage:
                run = Run(stage, calls, {**_DEFAULTS, "DELIVERY": delivery})
                found = await run.play(seconds, happening)
            twice = [cost.twice for cost in found]
            stall = [cost.stall for cost in found]
            print(
                f"{name:<29}{delivery:<15}{len(found):>6}"
                f"   {statistics.mean(twice):>9.1f} s, {max(twice):.1f} s"
                f"{'':>6}{statistics.mean(stall):>6.1f} s, {max(stall):.1f} s",
                flush=True,
            )


def main() -> None:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each call before it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, cluster(Path(name) / "kafka") as kafka:
        asyncio.run(measure(kafka, Path(name), options.calls, options.seconds))


if __name__ == "__main__":
    main()
