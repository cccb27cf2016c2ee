"""The files of schemas/examples, read for the tests."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from consumer.model import Milliseconds, Offset, Partition, Record

SCHEMAS = Path(__file__).parents[2] / "schemas"
Example = dict[str, Any]


def examples(kind: str, verdict: str) -> list[Any]:
    """All examples of a kind, as parameters named by their files."""
    paths = sorted((SCHEMAS / "examples" / kind / verdict).glob("*.json"))
    assert paths, f"no {verdict} examples of {kind}"
    return [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in paths]


def schema(name: str) -> Any:
    """One JSON schema."""
    return json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))


def octets(written: Any) -> bytes | None:
    """The bytes that an example writes as text, base64, JSON or null."""
    if written is None:
        return None
    if isinstance(written, str):
        return written.encode()
    if "json" in written:
        return json.dumps(written["json"]).encode()
    if "text" in written:
        return str(written["text"]).encode()
    return base64.b64decode(written["base64"])


def headers(written: Any) -> tuple[tuple[str, bytes], ...]:
    """The headers that an example writes as an object, or as pairs where a name comes twice."""
    pairs = written.items() if isinstance(written, dict) else written
    return tuple((name, octets(value) or b"") for name, value in pairs)


def record(written: Example, *, timestamp: int = 0) -> Record:
    """The record that an example writes."""
    return Record(
        partition=Partition("calls", 3),
        offset=Offset(1210),
        timestamp=Milliseconds(timestamp),
        key=octets(written["key"]),
        value=octets(written["value"]),
        headers=headers(written["headers"]),
    )
