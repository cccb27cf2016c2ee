"""RIFF/WAVE in a session's bytes: where the audio lies, and in which format.

Call recorders send files cut into records, so a header may be split anywhere; what is held of it
is bounded. Layout and format tags follow Microsoft's "Multiple
Channel Audio Data and WAVE Files" and RFC 2361. A data chunk of size 0 or 0xFFFFFFFF is what a
writer leaves that can't seek: its audio goes on to the end.
"""

from dataclasses import dataclass
from enum import StrEnum
from struct import unpack_from
from typing import NamedTuple

from consumer.core.checkpoint import DecoderMemory
from consumer.errors import RecordError
from consumer.model import AudioFormat, Encoding, Hertz

ENDLESS = 1 << 62
"""More bytes of audio than will ever come."""
HEADER_LIMIT = 1 << 20
"""Bytes before the data chunk; more is no header of a call recording."""

_RIFF, _WAVE, _FMT, _DATA = b"RIFF", b"WAVE", b"fmt ", b"data"
_PREAMBLE = 12
_CHUNK_HEADER = 8
_FMT_LEAST, _FMT_MOST = 16, 64
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
_EXTENSIBLE = 0xFFFE
_EXTENSIBLE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_ENCODINGS = {
    (1, 16): Encoding.PCM_S16LE,
    (6, 8): Encoding.PCM_ALAW,
    (7, 8): Encoding.PCM_MULAW,
}
_FOREIGN = {
    b"RF64": "RF64",
    b"RIFX": "big-endian RIFF",
    b"FORM": "AIFF",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"\x1aE\xdf\xa3": "WebM or Matroska",
}
_MAGICS = (_RIFF, *_FOREIGN)
_SUPPORTED = "supported are raw audio and WAV files of 16-bit PCM, mu-law and A-law"


class Range(NamedTuple):
    """Audio from start up to end of a payload, in the format that a file says, if any."""

    start: int
    end: int
    format: AudioFormat | None


@dataclass(frozen=True, slots=True)
class Found:
    """Audio in one payload.

    prefix: audio that came with earlier payloads and was held until now. ranges: where audio lies
    in the payload. format: as the file says, None where no file does.
    """

    prefix: bytes
    ranges: tuple[Range, ...]
    format: AudioFormat | None


class Stage(StrEnum):
    """What the next bytes are. SNIFF: not known yet. AUDIO: audio, or what follows it."""

    SNIFF = "sniff"
    HEADER = "header"
    FORMAT = "format"
    AUDIO = "audio"


def starts_file(payload: bytes) -> bool:
    """A whole RIFF/WAVE preamble stands at the start."""
    return payload.startswith(_RIFF) and payload[8:12] == _WAVE


class WaveReader:
    """Reads one session from its start, or from where its format changed.

    left: bytes of audio that come next for sure; while they last, payloads hold nothing else.
    format: what the file says of them, None for raw audio. channel: the one that is wanted, since
    no file tells.
    """

    __slots__ = ("_channel", "_header", "_held", "_need", "_refusal", "_skip", "_stage", "format",
                 "left")  # fmt: skip

    def __init__(self, channel: int) -> None:
        self.left = 0
        self.format: AudioFormat | None = None
        self._channel = channel
        self._stage = Stage.SNIFF
        self._held = b""
        self._need = _PREAMBLE
        self._skip = 0
        self._header = 0
        self._refusal: str | None = None

    def recall(self, memory: DecoderMemory) -> None:
        """Go on from here."""
        self.left, self.format = memory.left, memory.format
        self._stage = Stage(memory.stage)
        self._held, self._need = memory.held, memory.need
        self._skip, self._header = memory.skip, memory.header
        self._refusal = memory.refusal

    def memory(self, declared: AudioFormat | None, carry: bytes) -> DecoderMemory:
        """What a new owner needs to read on. Raw audio has no end, so it always looks the same."""
        return DecoderMemory(
            declared=declared,
            format=self.format,
            stage=self._stage.value,
            left=ENDLESS if self.left > ENDLESS // 2 else self.left,
            skip=self._skip,
            need=self._need,
            header=self._header,
            held=self._held,
            carry=carry,
            refusal=self._refusal,
        )

    @property
    def unfinished(self) -> bool:
        """The bytes so far end inside a header."""
        return bool(self._held) or self._stage in (Stage.HEADER, Stage.FORMAT)

    def read(self, payload: bytes) -> Found:
        """Find the audio in the next payload.

        Raises RecordError for a file that can't be read, and from then on for all that follows.
        """
        if self._refusal is not None:
            raise RecordError("bad-audio", self._refusal)
        ranges: list[Range] = []
        at, prefix = self._sniff(payload) if self._stage is Stage.SNIFF else (0, b"")
        while at < len(payload):
            if self.left:
                at += self._hear(at, len(payload), ranges)
            elif self._skip:
                at += self._pass_over(len(payload) - at)
            else:
                at += self._gather(payload[at : at + self._need - len(self._held)])
        if len({heard.format for heard in ranges}) > 1:
            raise self._refuse("two files of different formats in one record")
        return Found(prefix, tuple(ranges), ranges[0].format if ranges else self.format)

    def _sniff(self, payload: bytes) -> tuple[int, bytes]:
        """Where to go on in the payload, and audio that was held."""
        held, self._held = self._held, b""
        head = held + payload[: _PREAMBLE - len(held)]
        if head[:4] in _FOREIGN:
            raise self._refuse(f"{_FOREIGN[head[:4]]} can't be read")
        if starts_file(head):
            self._stage, self._need = Stage.HEADER, _CHUNK_HEADER
            return _PREAMBLE - len(held), b""
        if _may_start(head):
            self._held = head
            return len(payload), b""
        self._stage, self.left = Stage.AUDIO, ENDLESS
        return 0, held

    def _pass_over(self, room: int) -> int:
        step = min(self._skip, room)
        self._skip -= step
        return step

    def _hear(self, start: int, end: int, ranges: list[Range]) -> int:
        step = min(self.left, end - start)
        self.left -= step
        ranges.append(Range(start, start + step, self.format))
        return step

    def _gather(self, part: bytes) -> int:
        self._held += part
        if len(self._held) == self._need:
            head, self._held = self._held, b""
            self._need = _CHUNK_HEADER
            if self._stage is Stage.FORMAT:
                self._read_format(head)
            else:
                self._read_chunk(*unpack_from("<4sI", head))
        return len(part)

    def _read_chunk(self, name: bytes, size: int) -> None:
        if name == _DATA:
            self._read_data(size)
        elif name == _RIFF and self._stage is Stage.AUDIO:  # another file, glued to this one
            self._stage, self._skip, self._header, self.format = Stage.HEADER, 4, 0, None
        else:
            self._header += _CHUNK_HEADER + size
            if self._stage is Stage.HEADER and self._header > HEADER_LIMIT:
                raise self._refuse(f"no audio within {HEADER_LIMIT} bytes of a WAV file")
            self._pass_chunk(name, size)

    def _pass_chunk(self, name: bytes, size: int) -> None:
        padded = size + size % 2
        if name != _FMT:
            self._skip = padded
        elif _FMT_LEAST <= size <= _FMT_MOST:
            self._stage, self._need = Stage.FORMAT, padded
        else:
            raise self._refuse(f"a WAV format of {size} bytes")

    def _read_format(self, body: bytes) -> None:
        self._stage = Stage.HEADER
        tag, channels, rate, _, _, bits = unpack_from("<HHIIHH", body)
        if tag == _EXTENSIBLE and body[26:40] == _EXTENSIBLE_TAIL:
            (tag,) = unpack_from("<H", body, 24)
        encoding = _ENCODINGS.get((tag, bits))
        if encoding is None:
            raise self._refuse(f"a WAV file of format tag {tag} with {bits} bits")
        try:
            self.format = AudioFormat(encoding, Hertz(rate), channels, self._channel)
        except ValueError as error:
            raise self._refuse(f"a WAV file's {error}") from error

    def _read_data(self, size: int) -> None:
        if self.format is None:
            raise self._refuse("a WAV file with audio before its format")
        self._stage = Stage.AUDIO
        if size in _UNKNOWN_SIZES:
            self.left = ENDLESS
        else:
            self.left = size - size % self.format.frame_bytes
            self._skip = size - self.left + size % 2

    def _refuse(self, what: str) -> RecordError:
        self._refusal = f"{what}; {_SUPPORTED}"
        return RecordError("bad-audio", self._refusal)


def _may_start(head: bytes) -> bool:
    """More bytes are needed to tell these from audio."""
    if len(head) < 4:
        return any(magic.startswith(head) for magic in _MAGICS)
    return head.startswith(_RIFF) and len(head) < _PREAMBLE
