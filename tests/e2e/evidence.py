"""What the API received, by the sandbox's audit on disk, which outlives a killed sandbox."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. config: None when none came. status: None when the sandbox was killed under it,
    or it is still open. results: sent or about to be. path: of its audio. first_ms, last_ms: when
    audio came, since the Unix epoch; None while it is open.
    """

    pid: int
    config: Mapping[str, Any] | None
    status: str | None
    detail: str
    half_closed: bool
    results: int
    faults: Sequence[str]
    path: Path
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def audio(self) -> bytes:
        """All that it carried so far."""
        return self.path.read_bytes() if self.path.exists() else b""

    @property
    def good(self) -> bool:
        """The API has said OK after our half-close: all of it is judged."""
        return self.status == "OK" and self.half_closed


def streams(lines: Path, audio: Path) -> list[Stream]:
    """The service's streams in order of arrival; process numbers count up, over restarts too."""
    told: dict[int, Mapping[str, Any]] = {}
    for line in lines.read_text().splitlines():
        view = json.loads(line)
        if view["session"] is None:  # others are the test's own
            told[view["pid"]] = view  # the end comes after the opening and says more
    return [_stream(view, audio / f"{pid}.pcm") for pid, view in sorted(told.items())]


def _stream(view: Mapping[str, Any], audio: Path) -> Stream:
    return Stream(
        pid=view["pid"],
        config=view["config"],
        status=view["status"],
        detail=view["detail"],
        half_closed=view["half_closed"],
        results=view["results"],
        faults=view["faults"],
        path=audio,
        first_ms=view["first_audio_ms"],
        last_ms=view["last_audio_ms"],
    )
