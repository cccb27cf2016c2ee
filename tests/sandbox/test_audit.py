"""The audit keeps evidence in memory and on disk."""

import hashlib
import json
from pathlib import Path

import pytest

from consumer.sandbox.audit import KEPT, Audit, StreamRecord
from consumer.sandbox.errors import Misused
from consumer.sandbox.rules import StreamConfig
from consumer.sandbox.segments import Level

CONFIG = StreamConfig(8_000, frozenset(Level), logits=False, embedding=False)


def ended(audit: Audit, *messages: bytes) -> StreamRecord:
    """A stream from its config to its OK."""
    record = audit.begin("ipv4:127.0.0.1:5", "call-1")
    audit.accept(record, CONFIG)
    for message in messages:
        record.receive(message)
    record.status = "OK"
    audit.end(record)
    return record


def test_lines_tell_begin_and_end(tmp_path: Path) -> None:
    """One JSON line after the config, one at the end; a second run appends."""
    for _ in range(2):
        audit = Audit("scripted", tmp_path / "audit.jsonl")
        ended(audit, b"ab", b"cdef")
        audit.close()
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["opened", "ended"] * 2
    opened, closed = lines[:2]
    assert (opened["status"], opened["bytes"], opened["scorer"]) == (None, 0, "scripted")
    assert (closed["status"], closed["bytes"], closed["messages"]) == ("OK", 6, 2)
    assert closed["sha256"] == hashlib.sha256(b"abcdef").hexdigest()
    assert closed["session"] == "call-1"


def test_audio_is_on_disk_at_once(tmp_path: Path) -> None:
    """Audio can be read while the stream is open, and stays after its end."""
    audit = Audit("scripted", audio=tmp_path / "made" / "here", first_pid=5)
    record = audit.begin("peer", None)
    audit.accept(record, CONFIG)
    record.receive(b"abcd")
    path = audit.audio(5)
    assert path is not None
    assert path.read_bytes() == b"abcd"
    audit.end(record)
    assert path.read_bytes() == b"abcd"
    assert audit.audio(6) is None


def test_memory_is_bounded() -> None:
    """Only the last streams are kept, open ones always."""
    audit = Audit("scripted", first_pid=0)
    still_open = audit.begin("peer", None)
    for _ in range(KEPT + 5):
        ended(audit)
    numbers = [record.number for record in audit.records()]
    assert len(numbers) == KEPT + 1
    assert numbers[0] == 6
    assert numbers[-1] == still_open.number == 0
    assert audit.total == KEPT + 6


def test_process_numbers_grow_over_restarts() -> None:
    """A later sandbox doesn't repeat the numbers of an earlier one."""
    first = Audit("scripted").begin("peer", None).pid
    assert Audit("scripted", first_pid=None).begin("peer", None).pid >= first > 10**12


@pytest.mark.parametrize("where", ["lines", "audio"])
def test_unwritable_places_are_told(tmp_path: Path, where: str) -> None:
    """A file in a folder that is none is a mistake with a reason."""
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "below"
    with pytest.raises(Misused, match="can't be written"):
        Audit("scripted", place if where == "lines" else None, place if where == "audio" else None)
