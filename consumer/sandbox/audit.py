"""What every stream received and how it ended: the evidence for tests and for the demo.

Kept in memory for the last streams, and on request as JSON lines in a file (one line when a stream
has sent its config, one when it is over, so that a killed process leaves evidence too) and with the
audio itself, one raw file per stream. Never a token.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from consumer.sandbox.errors import Misused
from consumer.sandbox.rules import StreamConfig

KEPT = 10_000
"""Ended streams kept in memory."""


@dataclass(slots=True)
class StreamRecord:
    """One stream. Times are milliseconds since the Unix epoch; size is the bytes of audio.

    number: 0-based, in order of arrival. pid: as in its results. session: the value of the header
    `x-session-id`. status: the gRPC status, CANCELLED when the caller or the network went away,
    None while it is open. half_closed: the caller had said that no more audio comes. faults: the
    rules that acted on it.
    """

    number: int
    pid: int
    peer: str
    scorer: str
    session: str | None
    opened_ms: int
    cid: int | None = None
    config: StreamConfig | None = None
    messages: int = 0
    size: int = 0
    first_audio_ms: int | None = None
    last_audio_ms: int | None = None
    results: int = 0
    faults: list[str] = field(default_factory=list)
    half_closed: bool = False
    status: str | None = None
    detail: str = ""
    ended_ms: int | None = None
    _hash: Any = field(default_factory=hashlib.sha256)
    _file: BinaryIO | None = None

    @property
    def seconds(self) -> float:
        """Audio received."""
        return self.size / 2 / self.config.sample_rate if self.config else 0.0

    def receive(self, audio: bytes) -> None:
        """Note a message of audio."""
        self.messages += 1
        self.size += len(audio)
        self.last_audio_ms = now_ms()
        if self.first_audio_ms is None:
            self.first_audio_ms = self.last_audio_ms
        self._hash.update(audio)
        if self._file:
            self._file.write(audio)

    def keep_audio(self, path: Path) -> None:
        """Write the audio that follows into a file, each message at once."""
        self._file = path.open("wb", buffering=0)

    def finish(self) -> None:
        """Close the file, note the time."""
        self.ended_ms = now_ms()
        if self._file:
            self._file.close()
            self._file = None

    def view(self) -> dict[str, object]:
        """What JSON shows of it."""
        config = self.config
        return {
            "stream": self.number,
            "pid": self.pid,
            "cid": self.cid,
            "session": self.session,
            "peer": self.peer,
            "scorer": self.scorer,
            "config": config
            and {
                "encoding": "LINEAR_PCM",
                "sample_rate_hertz": config.sample_rate,
                "level": config.level,
                "logits": config.logits,
                "feature_embedding": config.embedding,
            },
            "messages": self.messages,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "sha256": self._hash.hexdigest(),
            "results": self.results,
            "opened_ms": self.opened_ms,
            "first_audio_ms": self.first_audio_ms,
            "last_audio_ms": self.last_audio_ms,
            "ended_ms": self.ended_ms,
            "half_closed": self.half_closed,
            "status": self.status,
            "detail": self.detail,
            "faults": self.faults,
        }


class Audit:
    """All streams since the start; `open` ones and the last KEPT that have ended.

    scorer: the name to note. lines: where JSON lines are appended. audio: the directory for raw
    audio, made if need be. first_pid: of the first stream, further ones count up.
    Raises Misused when a file can't be opened.
    """

    def __init__(
        self,
        scorer: str,
        lines: Path | None = None,
        audio: Path | None = None,
        first_pid: int | None = None,
    ) -> None:
        self._scorer = scorer
        # Process numbers must differ from those before a restart, without remembering any.
        self._first_pid = now_ms() if first_pid is None else first_pid
        self._total = 0
        self._open: dict[int, StreamRecord] = {}
        self._ended: deque[StreamRecord] = deque(maxlen=KEPT)
        self._audio = audio
        self._lines: TextIO | None = None
        try:
            if audio:
                audio.mkdir(parents=True, exist_ok=True)
            if lines:
                self._lines = lines.open("a", encoding="utf-8")
        except OSError as error:
            raise Misused(f"the audit can't be written: {error}") from error

    @property
    def total(self) -> int:
        """Streams so far."""
        return self._total

    @property
    def accepted(self) -> int:
        """Open streams whose config was accepted."""
        return sum(record.config is not None for record in self._open.values())

    def records(self) -> Iterator[StreamRecord]:
        """Streams in memory: the ended ones first, each in order."""
        yield from self._ended
        yield from self._open.values()

    def begin(self, peer: str, session: str | None) -> StreamRecord:
        """A stream arrives."""
        record = StreamRecord(
            self._total, self._first_pid + self._total, peer, self._scorer, session, now_ms()
        )
        self._total += 1
        self._open[record.pid] = record
        return record

    def accept(self, record: StreamRecord, config: StreamConfig) -> None:
        """The stream's config is good; audio may follow."""
        record.config = config
        if self._audio:
            record.keep_audio(self._audio / _file_name(record.pid))
        self._write("opened", record)

    def end(self, record: StreamRecord) -> None:
        """The stream is over; its status is noted already."""
        record.finish()
        del self._open[record.pid]
        self._ended.append(record)
        self._write("ended", record)

    def audio(self, pid: int) -> Path | None:
        """The file with the audio of a stream, if audio is kept and there was such a stream."""
        path = self._audio / _file_name(pid) if self._audio else None
        return path if path and path.is_file() else None

    def close(self) -> None:
        """Close the file of JSON lines."""
        if self._lines:
            self._lines.close()
            self._lines = None

    def _write(self, event: str, record: StreamRecord) -> None:
        if self._lines:
            self._lines.write(json.dumps({"event": event, **record.view()}) + "\n")
            self._lines.flush()


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def _file_name(pid: int) -> str:
    return f"{pid}.pcm"
