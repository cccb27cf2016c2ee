"""Header names that are no UTF-8 are read with escapes, and everything else as ever."""

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from consumer.adapters.kafka.tolerant import TolerantRecords, read_tolerantly, strange_name
from tests.adapters.names import StrangeName

NONE, GZIP = 0, 1


def batch(*names: str, compression: int = NONE) -> bytes:
    """One batch with a record for each of these header names."""
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, 1 << 16)
    for offset, name in enumerate(names):
        builder.append(offset, 1_700_000_000_000, b"key", b"value", [(name, b"\xff"), ("b", None)])
    return bytes(builder.build())


def read(data: bytes) -> list[list[tuple[str, bytes | None]]]:
    """The headers of all records, read as the library does."""
    records, found = TolerantRecords(data), []
    assert records.size_in_bytes() == len(data)
    while records.has_next():
        one = records.next_batch()
        assert one is not None
        assert one.validate_crc()
        for each in one:
            assert (each.key, each.value) == (b"key", b"value")
            found.append(list(each.headers))
    assert records.next_batch() is None
    return found


@pytest.mark.parametrize("compression", [NONE, GZIP])
def test_reads_strange_names(compression: int) -> None:
    """A name that does not decode has its bytes as escapes; its record and the others are whole."""
    strange = StrangeName(b"caf\xe9\xff")
    names = [
        headers[0][0] for headers in read(batch("a", strange, "\u00fc", compression=compression))
    ]
    assert names == ["a", "caf\\xe9\\xff", "\u00fc"]


def test_goes_on_behind_a_strange_batch() -> None:
    """Batches before and after it are the library's own, and null values stay."""
    data = batch("a") + batch(StrangeName(b"\xff")) + batch("c")
    assert read(data) == [[(name, b"\xff"), ("b", None)] for name in ("a", "\\xff", "c")]


def test_is_switched_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first failure switches it on; a further one is not its business."""
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    assert read_tolerantly()
    assert fetcher.MemoryRecords is TolerantRecords
    assert not read_tolerantly()


def test_knows_its_failure() -> None:
    """Only a name that does not decode is one, as such or as the cause of another error."""
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff".decode()
    wrapped = LookupError()
    wrapped.__cause__ = caught.value
    assert strange_name(caught.value)
    assert strange_name(wrapped)
    assert not strange_name(LookupError())
