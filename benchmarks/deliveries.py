"""What exactly once costs: throughput of a backlog, and how late live results are seen.

Both deliveries run in turn on the same Apache Kafka (Java 17 and Maven) and the same sink, each
round both, because machines are noisy: read the ratios. Throughput counts from the start of the
process, so its start-up of a few seconds is in it, for both alike. A result is seen when a
read_committed reader has it; its lateness counts from when its last audio was written.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import PARTITIONS, Load, feed
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.tail import KafkaTail
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.demo.child import Child
from consumer.demo.port import free_port, healthy, listening
from tests.kafka.cluster import Cluster, cluster

DELIVERIES = ("at_least_once", "exactly_once")
_PATIENCE_SECONDS = 180.0


def settings(kafka: Cluster, target: str, topic: str, delivery: str, port: int) -> dict[str, str]:
    """The service's settings: the defaults, but for what the sink can't do."""
    return {
        **os.environ,
        "CONSUMER_DELIVERY": delivery,
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
        "CONSUMER_KAFKA__INPUT_TOPIC": topic,
        "CONSUMER_KAFKA__RESULTS_TOPIC": f"results-{topic}",
        "CONSUMER_KAFKA__SESSIONS_TOPIC": f"sessions-{topic}",
        "CONSUMER_KAFKA__GROUP_ID": topic,
        "CONSUMER_API__TARGET": target,
        "CONSUMER_API__TLS": "false",
        "CONSUMER_API__CID": "1",
        "CONSUMER_API__TOKEN": "t",
        "CONSUMER_API__LEVEL": "segment",
        "CONSUMER_ADMIN__LISTEN": f"127.0.0.1:{port}",
    }


class Measurement:
    """One service under one load. seconds: from its start to the last result. late: seconds, of
    each result.
    """

    def __init__(self, kafka: Cluster, target: str, folder: Path) -> None:
        self._kafka = kafka
        self._target = target
        self._folder = folder
        self.late: list[float] = []
        self.seconds = 0.0

    async def run(self, topic: str, load: Load, delivery: str) -> None:
        """Start the service, and read until every result is there."""
        options = KafkaOptions(bootstrap_servers=self._kafka.bootstrap)
        results = f"results-{topic}"
        async with KafkaTopics(options) as topics:
            await topics.create([topic, results], PARTITIONS, 1)
        if not load.live:
            await feed(options, topic, load)
        port = free_port()
        environment = settings(self._kafka, self._target, topic, delivery, port)
        command = [sys.executable, "-m", "consumer", "run"]
        child = Child(delivery, command, self._folder / f"{topic}.log", environment)
        async with KafkaTail(options, (results,), from_beginning=True) as tail:
            await child.start()
            try:
                reading = asyncio.create_task(self._read(tail, load.results))
                if load.live:
                    await child.until(healthy(port, "/ready"), 40.0)
                    await feed(options, topic, load)
                await reading
            finally:
                await child.stop()

    async def _read(self, tail: KafkaTail, wanted: int) -> None:
        seen, began = 0, time.monotonic()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while seen < wanted:
                records = await tail.poll(0.05)
                now = time.time()
                self.late += [now - _captured(record.value) for record in records]
                seen += len(records)
        self.seconds = time.monotonic() - began


def _captured(value: bytes | None) -> float:
    return float(json.loads(value or b"{}")["captured_at"]) / 1000


async def compare(kafka: Cluster, folder: Path, rounds: int, chunks: int) -> None:
    """Each delivery under each load, every round, and the table."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.sink_server", str(port)]
    sink = Child("sink", command, folder / "sink.log")
    await sink.start()
    try:
        await sink.until(listening(port), 20.0)
        print("                chunks a second   seen after (median, 99th percentile)")
        for turn in range(rounds):
            pace: dict[str, float] = {}
            for delivery in DELIVERIES:
                backlog, live = (Measurement(kafka, f"127.0.0.1:{port}", folder) for _ in range(2))
                full = Load(8000, chunks, 40, live=False)
                await backlog.run(f"{delivery}-full-{turn}", full, delivery)
                await live.run(f"{delivery}-live-{turn}", Load(8000, 1600, 40, live=True), delivery)
                pace[delivery] = chunks / backlog.seconds
                cuts = statistics.quantiles(live.late, n=100)
                row = f"{pace[delivery]:>17.0f}   {cuts[49]:.2f} s, {cuts[98]:.2f} s"
                print(f"{delivery:<14}{row}", flush=True)
            ratio = pace["exactly_once"] / pace["at_least_once"]
            print(f"exactly once has {ratio:.2f} of the throughput", flush=True)
    finally:
        await sink.stop()


def main() -> None:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--chunks", type=int, default=40_000, help="length of the backlog")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as kafka:
        asyncio.run(compare(kafka, Path(name), options.rounds, options.chunks))


if __name__ == "__main__":
    main()
