"""Broker, sandbox and consumer as processes of their own, started through the command line.

They are started as anyone would start them, and all they share with the calls is Kafka's protocol
and the API's. Where a Kafka is given, no broker is started.
"""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import KafkaOptions
from consumer.demo.broker import Broker
from consumer.demo.child import Child
from consumer.demo.evidence import Audit
from consumer.demo.names import Names
from consumer.demo.port import HOST, free_port, healthy

PARTITIONS = 4

_CID = 7
_START_SECONDS = 40.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the sandbox's API and REST side, and of the consumer's health."""

    api: int
    rest: int
    admin: int


@dataclass(frozen=True, slots=True)
class Backstage:
    """Everything that runs while calls are played. idempotent: whether its Kafka can be written to
    so.
    """

    kafka: KafkaOptions
    names: Names
    idempotent: bool
    children: Sequence[Child]
    audit: Audit


@asynccontextmanager
async def backstage(
    folder: Path, say: Say, names: Names, servers: str | None = None
) -> AsyncIterator[Backstage]:
    """Start all three, stop them in the opposite order. folder: for logs, token and audit.

    servers: of a Kafka to use in place of the embedded broker. Raises ChildFailed, KafkaFailed.
    """
    token = folder / "token"
    token.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    ports = Ports(free_port(), free_port(), free_port())
    async with AsyncExitStack() as stack:
        broker = None if servers else await _broker(folder, say, stack)
        address = broker.bootstrap_servers if broker else str(servers)
        kafka = KafkaOptions(bootstrap_servers=address, client_id="demo")
        for topic in names.topics:
            await make_topic(kafka, topic, PARTITIONS)
        if servers:
            say(f"kafka     is at {servers}; topics, which stay: {', '.join(names.topics)}")
        sandbox = _sandbox(ports, token, folder)
        await _start(sandbox, healthy(ports.rest, "/status"), stack)
        audit = Audit(f"http://{HOST}:{ports.rest}")
        scorer = await audit.scorer()
        say(f"sandbox   listens on {HOST}:{ports.api}, the API; verdicts: {scorer}")
        settings = {**_kafka_settings(address, names), **({} if servers else _EMBEDDED)}
        consumer = _consumer(settings, ports, token, folder)
        await _start(consumer, healthy(ports.admin, "/ready"), stack)
        say(f"consumer  is ready, health on {HOST}:{ports.admin}")
        children = (*([broker.child] if broker else []), sandbox, consumer)
        yield Backstage(kafka, names, servers is not None, children, audit)


async def _broker(folder: Path, say: Say, stack: AsyncExitStack) -> Broker:
    broker = await stack.enter_async_context(Broker(folder / "broker.log"))
    say(f"broker    listens on {broker.bootstrap_servers}, Kafka-compatible, in memory")
    return broker


async def _start(child: Child, sign: Coroutine[None, None, None], stack: AsyncExitStack) -> None:
    await child.start()
    stack.push_async_callback(child.stop)
    await child.until(sign, _START_SECONDS)


def _sandbox(ports: Ports, token: Path, folder: Path) -> Child:
    arguments = (
        *("--listen", f"{HOST}:{ports.api}", "--rest-listen", f"{HOST}:{ports.rest}"),
        *("--cid", str(_CID), "--token-file", str(token)),
        *("--audit-audio", str(folder / "audio")),
    )
    command = (*_python(), "sandbox", *arguments)
    return Child("sandbox", command, folder / "sandbox.log", _environment())


_EMBEDDED = {
    # The embedded broker knows no idempotent producing.
    "CONSUMER_KAFKA__IDEMPOTENT": "false",
    # It lets the first member of a group wait for others for half of this.
    "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    "CONSUMER_KAFKA__HEARTBEAT_SECONDS": "2",
}


def _kafka_settings(address: str, names: Names) -> Mapping[str, str]:
    return {
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": address,
        "CONSUMER_KAFKA__INPUT_TOPIC": names.input,
        "CONSUMER_KAFKA__RESULTS_TOPIC": names.results,
        "CONSUMER_KAFKA__SESSIONS_TOPIC": names.sessions,
        "CONSUMER_KAFKA__GROUP_ID": names.group,
    }


def _consumer(kafka: Mapping[str, str], ports: Ports, token: Path, folder: Path) -> Child:
    settings = {
        **kafka,
        "CONSUMER_API__TARGET": f"{HOST}:{ports.api}",
        "CONSUMER_API__TLS": "false",
        "CONSUMER_API__CID": str(_CID),
        "CONSUMER_API__TOKEN_FILE": str(token),
        "CONSUMER_ADMIN__LISTEN": f"{HOST}:{ports.admin}",
    }
    environment = {**_environment(), **settings}
    return Child("consumer", (*_python(), "run"), folder / "consumer.log", environment)


def _python() -> tuple[str, ...]:
    return (sys.executable, "-m", "consumer")


def _environment() -> Mapping[str, str]:
    """Ours, without settings that a person has for another consumer."""
    return {name: text for name, text in os.environ.items() if not name.startswith("CONSUMER_")}
