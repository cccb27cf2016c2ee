"""Reads what the sandbox has heard, and from whom."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import Stream
from tests.chaos.oracle.hearing import pieces


def streams(lines: Path, audio: Path, calls: Iterable[Call]) -> list[Stream]:
    """All streams in order of arrival; their numbers count up, over restarts too."""
    by_number = {call.number: call for call in calls}
    told = {}
    for line in lines.read_text().splitlines():
        view = json.loads(line)
        told[view["pid"]] = view  # the end comes after the opening and says more
    found = []
    for number, view in sorted(told.items()):
        path = audio / f"{number}.pcm"
        heard = path.read_bytes() if path.exists() else b""
        config = view["config"]
        stream = Stream(
            pid=number,
            rate=config["sample_rate_hertz"] if config else None,
            status=view["status"],
            detail=view["detail"],
            half_closed=view["half_closed"],
            faults=view["faults"],
            opened_ms=view["opened_ms"],
            ended_ms=view["ended_ms"],
            pieces=pieces(heard, by_number),
        )
        found.append(stream)
    return found
