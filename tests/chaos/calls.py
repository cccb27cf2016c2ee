"""Calls of a run: who speaks when, on which key, and what is special about it. All by the seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from tests.chaos.sound.mark import Samples, marks
from tests.chaos.sound.speech import PROGRAMMES, RATE, Spoken, programme

POISON_RATE = 11_025
"""The sandbox is told to refuse streams of this rate."""

LENGTHS = (12, 40)
"""Of calls, in seconds of audio."""
PACE = 0.5
"""Seconds of audio in a second. Below 1, so that an API on the same few cores has something left to
catch up with: one that is just fast enough for live audio would never get over an outage.
"""

_LATE_SECONDS = (4.0, 10.0)
_CHUNKS_MS = (500, 500, 500, 250)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """number: in the marks of its audio. seconds: of audio. begins: seconds after the run's start.

    end_after: from the last audio to the end mark, in seconds. pace: seconds of audio that are sent
    in a second. poisoned: the API refuses it.
    """

    number: int
    key: str
    partition: int
    programme: int
    seconds: int
    begins: float = 0.0
    end_after: float = 0.0
    chunk_ms: int = 500
    pace: float = PACE
    poisoned: bool = False

    @property
    def rate(self) -> int:
        """That it is said to have, in Hz."""
        return POISON_RATE if self.poisoned else RATE

    @property
    def frames(self) -> int:
        """Samples in all."""
        return self.seconds * RATE

    @property
    def chunk_frames(self) -> int:
        """Samples of one record."""
        return RATE * self.chunk_ms // 1000

    @property
    def chunks(self) -> int:
        """Records with audio."""
        return -(-self.frames // self.chunk_frames)

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """When somebody speaks in it."""
        return programme(self.programme).until(self.seconds)

    @property
    def over(self) -> float:
        """When its end mark comes, in seconds after the run's start."""
        return self.begins + self.seconds / self.pace + self.end_after

    def due(self, number: int) -> float:
        """When this chunk is there to be sent, in seconds after the run's start."""
        return self.begins + min((number + 1) * self.chunk_ms / 1000, self.seconds) / self.pace

    def audio(self, start: int, end: int) -> bytes:
        """Frames of it as they are sent and heard: signed 16 bit, little-endian."""
        return _samples(self.number, self.programme, self.frames)[start:end].tobytes()


@lru_cache(512)
def _samples(number: int, which: int, frames: int) -> Samples:
    samples: Samples = programme(which).samples[:frames] | marks(number, 0, frames)
    return samples.astype("<i2")


@dataclass(slots=True)
class Cast:
    """Casts the calls of a run, as many of them as fit.

    seconds: the run's length. sessions: keys that are in use at the same time. poisoned: how many
    calls the API will refuse; few, since many would be taken for the API's fault. lengths: of
    calls, from and to, in seconds of audio.
    """

    seed: int
    seconds: int
    sessions: int
    partitions: int
    poisoned: int = 2
    lengths: tuple[int, int] = LENGTHS
    pace: float = PACE
    _calls: list[Call] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """All of them, by number."""
        chance = Random(f"{self.seed}/calls")
        for slot in range(self.sessions):
            for call in self._slot(chance, slot):
                self._calls.append(call)
        for _ in range(self.poisoned):
            self._poison(chance)
        return self._calls

    def _slot(self, chance: Random, slot: int) -> Iterator[Call]:
        """One call after the other on one key, some right behind the end mark before."""
        shortest, longest = self.lengths
        now, number = chance.uniform(0, min(15.0, self.seconds / 6)), len(self._calls)
        while (room := int(self.pace * (self.seconds - now))) >= min(shortest, self.seconds // 2):
            late = chance.uniform(*_LATE_SECONDS) if chance.random() < 0.15 else 0.0
            length = min(chance.randint(shortest, longest), room)
            if room - length < shortest + self.pace * late:
                length, late = room, 0.0
            call = Call(
                number=number,
                key=f"key-{slot}",
                partition=slot % self.partitions,
                programme=chance.randrange(PROGRAMMES),
                seconds=length,
                begins=now,
                end_after=late,
                chunk_ms=chance.choice(_CHUNKS_MS),
                pace=self.pace,
            )
            yield call
            now, number = call.over + chance.choice((0.0, 0.0, 1.0, 3.0)), number + 1

    def _poison(self, chance: Random) -> None:
        number = len(self._calls)
        length = min(12, self.seconds // 6)
        call = Call(
            number=number,
            key=f"poisoned-{number}",
            partition=chance.randrange(self.partitions),
            programme=chance.randrange(PROGRAMMES),
            seconds=length,
            begins=chance.uniform(0, self.seconds - length / self.pace),
            pace=self.pace,
            poisoned=True,
        )
        self._calls.append(call)
