"""What the analyzer adapter needs to be told: plain values, built by the roof from the settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Method = Literal["DeepfakeDetection", "StreamAudio"]
SERVICE: Final = "behavioral_api.grpc.v1.BehavioralStreamingApi"
"""Its full name, as proto/api.proto has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzerOptions:
    """The endpoint, who we are there and what we ask of it.

    target: HOST:PORT. ca_file: PEM authorities, gRPC's own when None. token: called for each new
    stream, so that a renewed token needs no restart; may raise ConfigurationError.
    streams_per_channel: common proxies let 100 through and make more wait without a word.
    keepalive_seconds: between pings, no more often than servers tolerate without data.
    connect_timeout_seconds: for one attempt to connect. reconnect_seconds: longest pause between
    attempts; gRPC's default of two minutes would outlast our own breaker. idle_seconds: a channel
    without streams drops its connection after this. patience_seconds: how long opening a stream
    waits for its config to be written before it goes on without. probe_timeout_seconds: for a
    whole probe.
    """

    target: str
    cid: int
    token: Callable[[], str] = field(repr=False)
    tls: bool = True
    ca_file: Path | None = None
    method: Method = "DeepfakeDetection"
    logits: bool = False
    embedding: bool = False
    streams_per_channel: int = 100
    keepalive_seconds: float = 300.0
    keepalive_timeout_seconds: float = 20.0
    connect_timeout_seconds: float = 10.0
    reconnect_seconds: float = 5.0
    idle_seconds: float = 300.0
    patience_seconds: float = 1.0
    probe_timeout_seconds: float = 30.0
    max_send_bytes: int = 4 << 20
    max_receive_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        if self.streams_per_channel < 1:
            raise ValueError("streams_per_channel must be at least 1")
