"""Reads records in which the name of a header is not UTF-8, which the client library can't.

Brokers don't look at such names, and producers in other languages may write any bytes there. The
library fails at such a record and at every try to read it, so that all partitions stand still for
the sake of one record. From the first failure on this process reads with the classes below: they
look through each batch and take over those that the library can't read.
"""

from typing import Any, Final, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import _MemoryRecordsPy

_ERRORS: Final = "backslashreplace"


def strange_name(error: BaseException) -> bool:
    """Whether reading failed at a header's name."""
    return isinstance(error, UnicodeDecodeError) or isinstance(error.__cause__, UnicodeDecodeError)


def read_tolerantly() -> bool:
    """Read such names with escapes from now on, in all of the process; False if it does already."""
    if fetcher.MemoryRecords is TolerantRecords:
        return False
    fetcher.MemoryRecords = TolerantRecords
    return True


class TolerantRecords:
    """The batches of one answer of a broker. Stands in for the library's own class."""

    def __init__(self, data: bytes) -> None:
        self._records = _MemoryRecordsPy(data)

    def size_in_bytes(self) -> int:
        """Of the answer."""
        size: int = self._records.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """There is another whole batch."""
        there_is: bool = self._records.has_next()
        return there_is

    def next_batch(self) -> "DefaultRecordBatch | LegacyRecordBatch | None":
        """The next one, to be read by the library where that works."""
        data = self._records._next_slice  # noqa: SLF001 - the batch itself doesn't give its bytes
        batch = self._records.next_batch()
        if isinstance(batch, DefaultRecordBatch) and not _readable(data):
            return _TolerantBatch(data)
        return batch


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # the library's types are unknown
    """Decodes names with escapes; everything else is the library's."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Tolerant):
            self._buffer = _Tolerant(self._buffer)


class _Tolerant(bytearray):
    """Bytes that always decode, and so do their slices."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        found = super().__getitem__(index)
        return _Tolerant(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - see above
        return super().decode(encoding, _ERRORS)


def _readable(data: object) -> bool:
    """Whether the library reads all names in it; it tells of other failures itself."""
    try:
        for _ in DefaultRecordBatch(data):
            pass
    except (UnicodeDecodeError, CorruptRecordException) as error:
        return not strange_name(error)
    return True
