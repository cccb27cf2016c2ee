"""Broker, sandbox and consumer as processes of their own, started through the command line.

They are started as anyone would start them, and all they share with the calls is Kafka's protocol
and the API's.
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
from consumer.demo.port import HOST, free_port, healthy

INPUT, RESULTS, SESSIONS = "call-audio", "detection-results", "detection-sessions"
GROUP = "detection-consumer"
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
    """Everything that runs while calls are played."""

    kafka: KafkaOptions
    children: Sequence[Child]
    audit: Audit


@asynccontextmanager
async def backstage(folder: Path, say: Say) -> AsyncIterator[Backstage]:
    """Start all three, stop them in the opposite order. folder: for logs, token and audit.

    Raises ChildFailed, KafkaFailed.
    """
    token = folder / "token"
    token.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    ports = Ports(free_port(), free_port(), free_port())
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(Broker(folder / "broker.log"))
        say(f"broker    listens on {broker.bootstrap_servers}, Kafka-compatible, in memory")
        kafka = KafkaOptions(bootstrap_servers=broker.bootstrap_servers, client_id="demo")
        for topic in (INPUT, RESULTS, SESSIONS):
            await make_topic(kafka, topic, PARTITIONS)
        sandbox = _sandbox(ports, token, folder)
        await _start(sandbox, healthy(ports.rest, "/status"), stack)
        audit = Audit(f"http://{HOST}:{ports.rest}")
        scorer = await audit.scorer()
        say(f"sandbox   listens on {HOST}:{ports.api}, the API; verdicts: {scorer}")
        consumer = _consumer(broker.bootstrap_servers, ports, token, folder)
        await _start(consumer, healthy(ports.admin, "/ready"), stack)
        say(f"consumer  is ready, health on {HOST}:{ports.admin}")
        children = (broker.child, sandbox, consumer)
        yield Backstage(kafka, children, audit)


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


def _consumer(brokers: str, ports: Ports, token: Path, folder: Path) -> Child:
    settings = {
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": brokers,
        "CONSUMER_KAFKA__INPUT_TOPIC": INPUT,
        "CONSUMER_KAFKA__RESULTS_TOPIC": RESULTS,
        "CONSUMER_KAFKA__SESSIONS_TOPIC": SESSIONS,
        "CONSUMER_KAFKA__GROUP_ID": GROUP,
        # The embedded broker knows no idempotent producing.
        "CONSUMER_KAFKA__IDEMPOTENT": "false",
        # It lets the first member of a group wait for others for half of this.
        "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS": "6",
        "CONSUMER_KAFKA__HEARTBEAT_SECONDS": "2",
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
