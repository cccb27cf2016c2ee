"""WAV files for the tests, put together by hand."""

from struct import pack

from consumer.model import AudioFormat, Encoding

TAGS = {Encoding.PCM_S16LE: (1, 16), Encoding.PCM_MULAW: (7, 8), Encoding.PCM_ALAW: (6, 8)}
SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")


def riff_chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk with its pad byte; `size` overrides what its header says."""
    said = len(body) if size is None else size
    return name + pack("<I", said) + body + b"\0" * (len(body) % 2)


def format_chunk(
    audio_format: AudioFormat, *, extensible: bool = False, extra: bytes = b""
) -> bytes:
    """The fmt chunk."""
    tag, bits = TAGS[audio_format.encoding]
    frame = audio_format.frame_bytes
    rate = audio_format.sample_rate
    layout = pack("<HIIHH", audio_format.channels, rate, rate * frame, frame, bits)
    if extensible:
        extra = pack("<HHIH", 22, bits, 0, tag) + SUBFORMAT
        tag = 0xFFFE
    return riff_chunk(b"fmt ", pack("<H", tag) + layout + extra)


def wav(
    audio_format: AudioFormat,
    audio: bytes,
    *,
    size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
    extensible: bool = False,
) -> bytes:
    """A file; `size` is what its data chunk says, before and after stand around that chunk."""
    said = len(audio) if size is None else size
    data = b"data" + pack("<I", said) + audio
    if size is None:
        data += b"\0" * (len(audio) % 2)
    body = b"WAVE" + format_chunk(audio_format, extensible=extensible) + before + data + after
    return b"RIFF" + pack("<I", len(body)) + body
