"""CPU per chunk of the service and of a hand-written loop, on the same broker and the same sink.

Each program is a process of its own that reads the same number of equal chunks, first as fast as it
can, then at the pace of live calls. Counted is its CPU time, user and system, from when it is ready
until all results are on their topic, so start-up is left out. Machines are noisy: the programs take
turns, and what counts is the ratio, of which the middle one of all rounds is given.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from consumer.adapters.kafka.options import KafkaOptions, SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.tail import KafkaTail
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.codec.fields import ChunkFields
from consumer.codec.input import encode_chunk
from consumer.demo.broker import Broker
from consumer.demo.child import Child
from consumer.demo.port import free_port, healthy, listening
from consumer.model import Outgoing, SessionKey

RATE = 16_000
PARTITIONS = 4
NUMBERS = count()


@dataclass(frozen=True)
class Load:
    """chunks in all, of so many bytes each, over so many sessions; live: at the pace of calls."""

    size: int
    chunks: int
    sessions: int
    live: bool

    @property
    def results(self) -> int:
        """Segments that the sink answers."""
        seconds = self.chunks // self.sessions * self.size / 2 / RATE
        return self.sessions * -(-int(seconds * 100) // 200)

    @property
    def name(self) -> str:
        pace = "live" if self.live else "full speed"
        return f"{self.size:>5} B {pace:<10}"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, by its own clock: /proc counts in ticks."""
    return time.clock_gettime((~pid << 3) | 2)  # as Linux numbers it: clock_getcpuclockid(3)


async def feed(kafka: KafkaOptions, topic: str, load: Load) -> None:
    """All chunks, round robin over the sessions, then their ends."""
    sink = KafkaSink(kafka, SinkOptions(idempotent=False))
    await sink.start()
    audio = bytes(load.size)
    rounds = load.chunks // load.sessions
    pause = load.size / 2 / RATE
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for turn in range(rounds + 1):
        payload = audio if turn < rounds else None
        sent = [await sink.send(chunk(topic, n, payload)) for n in range(load.sessions)]
        if load.live:
            await asyncio.sleep(max(0.0, begin + turn * pause - loop.time()))
        elif turn % 16 == 0:
            await asyncio.gather(*sent)
    await sink.stop()


def chunk(topic: str, number: int, payload: bytes | None) -> Outgoing:
    """One record of one session."""
    key = SessionKey(f"call-{number}")
    return encode_chunk(topic, key, payload, ChunkFields(), partition=number % PARTITIONS)


async def run(name: str, load: Load, broker: Broker, target: str, folder: Path) -> float:
    """CPU seconds that one program needs for one load."""
    topic = f"audio-{name}-{next(NUMBERS)}"
    results = f"results-{topic}"
    kafka = KafkaOptions(bootstrap_servers=broker.bootstrap_servers)
    async with KafkaTopics(kafka) as topics:
        await topics.create([topic, results], PARTITIONS, 1)
    if not load.live:
        await feed(kafka, topic, load)
    environment: Mapping[str, str] = os.environ
    if name == "service":
        port = free_port()
        command = ["-m", "consumer", "run"]
        environment = service(broker, target, topic, results, port)
    else:
        port = 0
        words = [broker.bootstrap_servers, target, topic, results, str(RATE)]
        command = ["-m", "benchmarks.by_hand", *words]
    child = Child(name, [sys.executable, *command], folder / f"{topic}.log", environment)
    await child.start()
    try:
        await child.until(healthy(port, "/ready") if port else ready(child), 40.0)
        before = cpu_seconds(pid(child))
        async with KafkaTail(kafka, (results,), from_beginning=True) as tail, asyncio.timeout(120):
            feeding = asyncio.create_task(feed(kafka, topic, load)) if load.live else None
            seen = 0
            while seen < load.results:
                seen += len(await tail.poll(0.2))
            if feeding is not None:
                await feeding
        return cpu_seconds(pid(child)) - before
    finally:
        await child.stop()


def service(broker: Broker, target: str, topic: str, results: str, port: int) -> Mapping[str, str]:
    """The service's settings: the defaults, but for what the sink and the broker can't do."""
    return {
        **os.environ,
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONSUMER_KAFKA__INPUT_TOPIC": topic,
        "CONSUMER_KAFKA__RESULTS_TOPIC": results,
        "CONSUMER_KAFKA__SESSIONS_TOPIC": f"sessions-{topic}",
        "CONSUMER_KAFKA__GROUP_ID": topic,
        "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS": "10",
        "CONSUMER_KAFKA__HEARTBEAT_SECONDS": "3",
        "CONSUMER_KAFKA__IDEMPOTENT": "false",
        "CONSUMER_KAFKA__REPLICATION_FACTOR": "1",
        "CONSUMER_API__TARGET": target,
        "CONSUMER_API__TLS": "false",
        "CONSUMER_API__CID": "1",
        "CONSUMER_API__TOKEN": "t",
        "CONSUMER_API__LEVEL": "segment",
        "CONSUMER_ADMIN__LISTEN": f"127.0.0.1:{port}",
    }


def pid(child: Child) -> int:
    """The process number of a running child."""
    assert child._process is not None  # noqa: SLF001 - only the measurement wants it
    return child._process.pid  # noqa: SLF001 - as above


async def ready(child: Child) -> None:
    """Wait until the hand-written loop says so."""
    while "ready" not in child.log.read_text():  # noqa: ASYNC110 - another process says it
        await asyncio.sleep(0.05)


async def compare(names: Sequence[str], loads: Sequence[Load], rounds: int, folder: Path) -> None:
    """Each program under each load, in turns, and the table of medians."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.sink_server", str(port)]
    sink = Child("sink", command, folder / "sink.log")
    await sink.start()
    try:
        await sink.until(listening(port), 20.0)
        async with Broker(folder / "broker.log") as broker:
            heads = "".join(f"{name:>10}" for name in names)
            print(f"CPU microseconds per chunk       {heads}   ratio")
            for load in loads:
                used = [
                    [await run(n, load, broker, f"127.0.0.1:{port}", folder) for n in names]
                    for _ in range(rounds)
                ]
                middle = [median(column) / load.chunks * 1e6 for column in zip(*used, strict=True)]
                row = "".join(f"{number:>10.0f}" for number in middle)
                ratios = sorted(turn[-1] / turn[0] for turn in used)
                spread = f"{median(ratios):.2f}  ({ratios[0]:.2f}..{ratios[-1]:.2f})"
                print(f"{load.name} {load.chunks:>7} chunks {row}   {spread}", flush=True)
    finally:
        await sink.stop()


def main() -> None:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the live runs")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each program takes")
    parser.add_argument("--only", choices=["service", "by-hand"], help="run one program")
    options = parser.parse_args()
    loads = []
    for size, sessions in ((8000, 40), (640, 20)):
        live = int(options.seconds * 2 * RATE / size) * sessions
        loads += [Load(size, live, sessions, live=True), Load(size, 2 * live, sessions, live=False)]
    names = [options.only] if options.only else ["by-hand", "service"]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(names, loads, options.rounds, Path(folder)))


if __name__ == "__main__":
    main()
