"""Everything that can be set about a sandbox."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from consumer.sandbox.errors import Misused
from consumer.sandbox.faults import Rule
from consumer.sandbox.rules import Credentials
from consumer.sandbox.segments import SpeechPolicy


class Address(NamedTuple):
    """Where to listen; port 0 means any free one. An IPv6 host has no brackets here."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read HOST:PORT or [IPV6]:PORT. Raises Misused."""
    host, _, port = text.rpartition(":")
    plain = host.removeprefix("[").removesuffix("]")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not plain or bare or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise Misused(f"{text!r} is not HOST:PORT (or [IPV6]:PORT)")
    return Address(plain, int(port))


ANY_PORT = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How to run a sandbox; the defaults suit tests: any free port, any credentials, no faults.

    listen: for gRPC. rest_listen: for REST, None for no REST. scorer: see `scorer.load_scorer`.
    audit: file for JSON lines. audit_audio: directory for raw audio. first_pid: process number of
    the first stream, None for the current time in milliseconds. receive_limit: bytes of one
    request message; the vendor's own example sends 250 s at once, 24 MB at 48 kHz. grace: seconds
    that open streams get to end when the sandbox stops.
    """

    listen: Address = ANY_PORT
    rest_listen: Address | None = ANY_PORT
    credentials: Credentials = field(default_factory=Credentials)
    scorer: str = "scripted"
    speech: SpeechPolicy = field(default_factory=SpeechPolicy)
    faults: tuple[Rule, ...] = ()
    fault_seed: int = 0
    audit: Path | None = None
    audit_audio: Path | None = None
    first_pid: int | None = None
    receive_limit: int = 32 << 20
    grace: float = 2.0

    def __post_init__(self) -> None:
        if self.receive_limit < 1 or not self.grace >= 0:
            raise ValueError("receive_limit must be at least 1 byte, grace not negative")
