"""Broker, sandbox and consumers as processes of their own, for one test.

All are started through the command line and share nothing with the test but Kafka's protocol, the
API's, HTTP, signals and the sandbox's evidence on disk.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Self

import aiohttp

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import KafkaOptions
from consumer.demo.broker import Broker
from consumer.demo.child import Child
from consumer.demo.port import HOST, free_port, healthy
from tests.e2e import oracle
from tests.e2e.calls import Call
from tests.e2e.clean import Span, agree, clean_run, spoken
from tests.e2e.evidence import Stream, streams
from tests.e2e.feeder import Feeder, Sent
from tests.e2e.oracle import Findings, complaints
from tests.e2e.process import Consumer, environment, pid, python
from tests.e2e.topics import Names, Topics
from tests.kafka.cluster import Cluster

CID = 7
TOKEN = "an-end-to-end-token"  # of the sandbox, for as long as a test lasts
NAMES = Names("calls", "results", "sessions", "calls-dlq", "judges")

_START_SECONDS = 40.0
_PATIENCE_SECONDS = 60.0

Condition = Callable[[], bool | Awaitable[bool]]


@dataclass(slots=True)
class Stage:
    """What one test plays on; `async with` it.

    partitions: of every topic. apache: a broker to play on, which others may share; the embedded
    one when None.
    """

    folder: Path
    partitions: int = 2
    apache: Cluster | None = None
    names: Names = NAMES
    api: int = field(default_factory=free_port)
    rest: int = field(default_factory=free_port)
    consumers: list[Consumer] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _broker: Broker | None = None
    _topics: Topics | None = None
    _feeder: Feeder | None = None
    _sandbox: Child | None = None

    async def __aenter__(self) -> Self:
        """Start the broker with its topics."""
        try:
            await self._set_up()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _set_up(self) -> None:
        if self.apache is None:
            self._broker = Broker(self.folder / "broker.log")
            await self._stack.enter_async_context(self._broker)
        else:
            self.names = Names(*map(self.apache.fresh, NAMES))
        kafka = KafkaOptions(bootstrap_servers=self.brokers)
        for topic in self.names.topics:
            await make_topic(kafka, topic, self.partitions)
        # The embedded broker knows no transactions.
        apache = self.apache is not None
        topics = Topics(self.brokers, self.names, self.partitions, committed_only=apache)
        self._topics = await self._stack.enter_async_context(topics)
        feeder = Feeder(self.brokers, self.names.input)
        self._feeder = await self._stack.enter_async_context(feeder)
        (self.folder / "token").write_text(TOKEN)

    async def __aexit__(self, *_: object) -> None:
        """Stop everything, the newest first."""
        await self._stack.aclose()

    @property
    def brokers(self) -> str:
        """HOST:PORT."""
        if self.apache is not None:
            return self.apache.bootstrap
        assert self._broker is not None
        return self._broker.bootstrap_servers

    @property
    def topics(self) -> Topics:
        """What the service writes."""
        assert self._topics is not None
        return self._topics

    @property
    def feeder(self) -> Feeder:
        """Who writes to it."""
        assert self._feeder is not None
        return self._feeder

    @property
    def streams(self) -> list[Stream]:
        """What the API has received so far."""
        return streams(self.folder / "audit.jsonl", self.folder / "audio")

    async def start(self, *faults: str, **changes: object) -> Consumer:
        """Start the API and a consumer, at the same time, as the two below say."""
        _, consumer = await asyncio.gather(
            self.start_sandbox(*faults), self.start_consumer(**changes)
        )
        return consumer

    async def start_sandbox(self, *faults: str) -> None:
        """Start the API with these rules, on the same ports every time."""
        rules = [word for rule in faults for word in ("--fault", rule)]
        arguments = (
            *("--listen", f"{HOST}:{self.api}", "--rest-listen", f"{HOST}:{self.rest}"),
            *("--cid", str(CID), "--token-file", str(self.folder / "token")),
            *("--audit", str(self.folder / "audit.jsonl")),
            *("--audit-audio", str(self.folder / "audio")),
            *rules,
        )
        command = (*python(), "sandbox", *arguments)
        self._sandbox = Child("sandbox", command, self.folder / "sandbox.log", environment())
        await self._start(self._sandbox, self.rest, "/status")

    async def kill_sandbox(self) -> None:
        """Kill it where it stands."""
        assert self._sandbox is not None
        os.kill(pid(self._sandbox), signal.SIGKILL)
        await self._sandbox.ended()

    async def add_fault(self, rule: str) -> None:
        """Put a rule in force."""
        async with self._rest() as rest, rest.post("/sandbox/faults", json={"fault": rule}) as got:
            assert got.status == 201, await got.text()

    async def clear_faults(self) -> None:
        """Take all rules back."""
        async with self._rest() as rest, rest.delete("/sandbox/faults") as got:
            assert got.status == 204

    def settings(self, changes: Mapping[str, object]) -> dict[str, str]:
        """The environment of a consumer; changes: settings without the prefix."""
        settings: dict[str, object] = {
            "KAFKA__BOOTSTRAP_SERVERS": self.brokers,
            "KAFKA__INPUT_TOPIC": self.names.input,
            "KAFKA__RESULTS_TOPIC": self.names.results,
            "KAFKA__SESSIONS_TOPIC": self.names.sessions,
            "KAFKA__DEAD_LETTER_TOPIC": self.names.letters,
            "KAFKA__GROUP_ID": self.names.group,
            # The embedded broker knows no idempotent producing, and lets the first member of a
            # group wait for others for half of the session timeout.
            "KAFKA__IDEMPOTENT": self.apache is not None,
            "KAFKA__SESSION_TIMEOUT_SECONDS": 4,
            "KAFKA__HEARTBEAT_SECONDS": 1,
            "KAFKA__TRANSACTION_TIMEOUT_SECONDS": 3,
            "API__TARGET": f"{HOST}:{self.api}",
            "API__TLS": "false",
            "API__CID": CID,
            "API__TOKEN_FILE": self.folder / "token",
            "COMMIT__INTERVAL_SECONDS": 0.2,
            # An API that comes back shall be noticed while the test lasts.
            "BREAKER__INITIAL_SECONDS": 0.2,
            "BREAKER__MAXIMUM_SECONDS": 1,
            **changes,
        }
        return {f"CONSUMER_{name}": str(value) for name, value in settings.items()}

    async def start_consumer(self, **changes: object) -> Consumer:
        """Start a consumer; it is alive then, but has yet to join the group."""
        admin = free_port()
        settings = self.settings({**changes, "ADMIN__LISTEN": f"{HOST}:{admin}"})
        name = f"consumer-{len(self.consumers)}"
        log = self.folder / f"{name}.log"
        child = Child(name, (*python(), "run"), log, {**environment(), **settings})
        consumer = Consumer(child, admin)
        await self._start(child, admin, "/live")
        self.consumers.append(consumer)
        return consumer

    async def adopt(self, calls: Sequence[Call]) -> None:
        """Find calls on the input topic that somebody else has fed, end marks included."""
        by_key = {call.key: call for call in calls}
        count = sum(call.chunks + 1 for call in calls)
        for record in await self.topics.fed(count):
            place = record.partition
            self.feeder.ends[place] = max(self.feeder.ends.get(place, 0), record.offset + 1)
            key = (record.key or b"").decode()
            sent = self.feeder.sent.setdefault(key, Sent(by_key[key]))
            if record.value is not None:
                sent.note(record.partition, record.offset)
            else:
                sent.note_end(record.partition, record.offset)

    async def until(
        self, condition: Condition, what: str, seconds: float = _PATIENCE_SECONDS
    ) -> None:
        """Read the topics until this is so. Raises AssertionError when it takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            await self.topics.poll()
            told = condition()
            if await told if isawaitable(told) else told:
                return
            late = loop.time() > deadline
            if late or any(consumer.died for consumer in self.consumers):
                when = f"not within {seconds:g} s" if late else "a consumer has died before"
                raise AssertionError(f"{when}: {what}\n{await self._state()}")

    async def first_utterances(self, calls: Iterable[Call]) -> None:
        """Wait until something was settled of each of these calls."""
        waiting = {call.key for call in calls}

        def told() -> bool:
            found = {each.session for each in self.topics.results if each.level == "utterance"}
            return waiting <= found

        await self.until(told, "an utterance of each call")

    async def over(self, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until all that was fed is over: calls ended, offsets committed."""
        ended = [key for key, one in self.feeder.sent.items() if one.ended]

        async def done() -> bool:
            return all(map(self.topics.ended, ended)) and not await self.lag()

        await self.until(done, "every call ended and every offset committed", seconds)

    async def lag(self) -> int:
        """Records of the input that are not below the committed offsets."""
        committed = await self.topics.committed()
        return sum(end - committed[number] for number, end in self.feeder.ends.items())

    async def complaints(
        self, *, restarted: bool = False, compared: Iterable[Call] | None = None
    ) -> list[str]:
        """What is wrong with all that was fed, by the oracle and by clean runs.

        restarted: consumers came and went, so audio may have been heard twice. compared: calls
        whose speech is held against a clean run of them; all when None.
        """
        findings = Findings(
            names=self.names,
            sent=self.feeder.sent,
            streams=self.streams,
            results=self.topics.results,
            events=self.topics.events,
            lag=await self.lag(),
            restarted=restarted,
        )
        wrong = complaints(findings)
        await self.clear_faults()
        everyone = [one.call for one in self.feeder.sent.values()]
        for call in everyone if compared is None else compared:
            sent, told = self.feeder.sent[call.key], self.topics.of(call.key)
            expected, found = spoken(await self.clean_run(call)), oracle.spoken(sent, told)
            if not agree(expected, found):
                wrong.append(f"{call.key}: speech in seconds {found}, not in {expected}")
        return wrong

    async def clean_run(self, call: Call) -> list[Span]:
        """What the API finds in a call without the service between."""
        target = f"{HOST}:{self.api}"
        return await clean_run(target, CID, TOKEN, call.heard, call.rate)

    async def _start(self, child: Child, port: int, path: str) -> None:
        await child.start()
        self._stack.push_async_callback(child.stop)
        await child.until(healthy(port, path), _START_SECONDS)

    def _rest(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(f"http://{HOST}:{self.rest}")

    async def _state(self) -> str:
        sent = self.feeder.sent
        lines = [f"lag {await self.lag()}, committed {await self.topics.committed()}"]
        lines += [f"{key} not ended" for key in sent if not self.topics.ended(key)]
        for consumer in self.consumers:
            lines += [f"{consumer.child.name}:", consumer.child.last_words()]
        return "\n".join(lines)
