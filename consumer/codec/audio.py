"""One session's payloads to the samples that the API takes, the same way each time.

Records cut audio anywhere: inside a frame, inside a WAV header. What is left over is carried to
the next record, and for every record that needed something from before, that is remembered until
the record is settled, so that it can be decoded again alone. Of the plain records, nearly all,
nothing is remembered.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter

from consumer.codec.samples import Transcoder
from consumer.codec.wave import ENDLESS, Range, WaveReader, starts_file
from consumer.core.checkpoint import DecoderMemory
from consumer.core.events import Decoded
from consumer.model import AudioChunk, AudioFormat, ChunkEvent, Offset

_SURE = ENDLESS // 2
"""Fewer bytes are left only within a file that says how many it has."""

transcoder = lru_cache(maxsize=256)(Transcoder)
"""Formats are few; each needs its way worked out once."""


@dataclass(frozen=True, slots=True)
class Splice:
    """What it takes to decode one record alone.

    prefix: bytes of earlier records that belong in front. ranges: where its own audio lies.
    open: its end is completed by a later record.
    """

    prefix: bytes
    ranges: tuple[Range, ...]
    format: AudioFormat
    open: bool = False


class SessionDecoder:
    """Decoder of one session (consumer.core.events.Decoder).

    A RIFF/WAVE header is recognised at the session's first bytes, after a change of the declared
    format, at a start event, at the start of any record that holds its first 12 bytes, and right
    after a file's end. Its format wins over the declared one; the declared channel still counts.
    Once a file can't be read, neither can what follows, up to the next such place.
    """

    def __init__(self, memory: DecoderMemory | None = None) -> None:
        self._declared: AudioFormat | None = None
        self._reader = WaveReader(channel=0)
        self._transcoder: Transcoder | None = None
        self._carry = b""
        if memory is not None and memory.stage:
            self._recall(memory)
        self._splices: OrderedDict[Offset, Splice] = OrderedDict()
        self._formats: list[tuple[Offset, AudioFormat | None]] = [(Offset(-1), self._reader.format)]
        self._memory = self._now()
        self._changes: deque[tuple[Offset, DecoderMemory]] = deque()

    @property
    def memory(self) -> DecoderMemory:
        """What was known before the oldest record that is not forgotten."""
        return self._memory

    def decode(self, chunk: AudioChunk) -> Decoded:
        """Decode the next chunk of the session. Raises RecordError for audio it can't read."""
        payload = chunk.payload
        size = len(payload)
        way = self._transcoder
        if (
            way is None
            or self._carry
            or size >= self._reader.left
            or size % way.frame_bytes
            or chunk.event is ChunkEvent.START
            or payload.startswith(b"RIFF")
            or not (chunk.format is self._declared or chunk.format == self._declared)
        ):
            return self._decode_with_care(chunk)
        self._reader.left -= size
        if self._reader.left < _SURE:
            self._changes.append((chunk.offset, self._now()))
        return Decoded(way.decode(payload), way.format.sample_rate)

    def again(self, chunk: AudioChunk) -> Decoded:
        """Decode a chunk that `decode` took, exactly as then."""
        splice = self._splices.get(chunk.offset)
        if splice is None:
            after = bisect_right(self._formats, chunk.offset, key=itemgetter(0))
            splice = _plain(chunk, self._formats[after - 1][1])
        audio, _ = _join(splice, chunk.payload)
        return Decoded(audio, splice.format.sample_rate, splice.open)

    def forget(self, below: Offset) -> None:
        """Drop what is remembered of records below this offset."""
        splices, formats = self._splices, self._formats
        while splices and next(iter(splices)) < below:
            splices.popitem(last=False)
        while len(formats) > 1 and formats[1][0] <= below:
            del formats[0]
        while self._changes and self._changes[0][0] < below:
            self._memory = self._changes.popleft()[1]

    def _recall(self, memory: DecoderMemory) -> None:
        self._declared, self._carry = memory.declared, memory.carry
        self._reader = WaveReader(memory.declared.channel if memory.declared else 0)
        self._reader.recall(memory)

    def _now(self) -> DecoderMemory:
        return self._reader.memory(self._declared, self._carry)

    def _decode_with_care(self, chunk: AudioChunk) -> Decoded:
        try:
            return self._decode(chunk)
        finally:
            self._changes.append((chunk.offset, self._now()))

    def _decode(self, chunk: AudioChunk) -> Decoded:
        if (
            chunk.format != self._declared
            or chunk.event is ChunkEvent.START
            or starts_file(chunk.payload)
        ):
            self._declared, self._carry = chunk.format, b""
            self._reader = WaveReader(chunk.format.channel)
        carry, self._carry, self._transcoder = self._carry, b"", None
        found = self._reader.read(chunk.payload)
        splice = Splice(carry + found.prefix, found.ranges, found.format or chunk.format)
        audio, self._carry = _join(splice, chunk.payload)
        if self._carry or self._reader.unfinished:
            splice = replace(splice, open=True)
        self._remember(chunk, splice)
        self._transcoder = transcoder(self._reader.format or chunk.format)
        return Decoded(audio, splice.format.sample_rate, splice.open)

    def _remember(self, chunk: AudioChunk, splice: Splice) -> None:
        audio_format = self._reader.format
        if audio_format != self._formats[-1][1]:
            self._formats.append((chunk.offset, audio_format))
        if splice != _plain(chunk, audio_format):
            self._splices[chunk.offset] = splice


def _plain(chunk: AudioChunk, said: AudioFormat | None) -> Splice:
    """How a record decodes that is audio throughout and needs no other."""
    size = len(chunk.payload)
    audio_format = said or chunk.format
    ranges = (Range(0, size, said),) if size else ()
    return Splice(b"", ranges, audio_format, open=size % audio_format.frame_bytes > 0)


def _join(splice: Splice, payload: bytes) -> tuple[bytes, bytes]:
    """Samples, and the bytes of an unfinished frame behind them."""
    way = transcoder(splice.format)
    parts = [payload[heard.start : heard.end] for heard in splice.ranges]
    data = b"".join([splice.prefix, *parts])
    whole = len(data) - len(data) % way.frame_bytes
    return way.decode(data[:whole]), data[whole:]
