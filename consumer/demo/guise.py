"""The looks in which one and the same speech may come: encoding, rate, channels, cut, envelope."""

from collections.abc import Iterator
from dataclasses import dataclass

from consumer.codec.fields import ChunkFields, ContentType
from consumer.demo.encode import encode, interleave
from consumer.demo.wav import riff
from consumer.model import AudioFormat, Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Guise:
    """How a call's audio is written, cut and wrapped.

    chunk_bytes: size of a chunk's audio; what is left makes a smaller last one. file: a WAV header
    comes first and the cut ignores it; then fields only say which channel is meant.
    """

    name: str
    format: AudioFormat
    chunk_bytes: int
    content: ContentType = ContentType.RAW
    file: bool = False

    def __post_init__(self) -> None:
        if self.chunk_bytes < 1:
            raise ValueError("chunk_bytes must be at least 1")
        if self.file and self.format.encoding is not Encoding.PCM_S16LE:
            raise ValueError("a WAV file is written as pcm_s16le here")

    @property
    def bytes_per_second(self) -> int:
        """Of audio, header and envelope left out."""
        return self.format.sample_rate * self.format.frame_bytes

    @property
    def fields(self) -> ChunkFields:
        """What every chunk says about itself."""
        form = self.format
        several = form.channels > 1
        return ChunkFields(
            encoding=None if self.file else form.encoding,
            sample_rate=None if self.file else form.sample_rate,
            channels=form.channels if several else None,
            channel=form.channel if several else None,
        )

    def dress(self, mono: bytes, others: bytes = b"") -> bytes:
        """Mono 16-bit samples at the guise's rate, written its way; `others` talk beside them."""
        form = self.format
        if form.channels > 1:
            return self.write(interleave(mono, form.channels, form.channel, others))
        return self.write(mono)

    def write(self, frames: bytes) -> bytes:
        """16-bit frames of all channels in the guise's encoding."""
        return encode(frames, self.format.encoding)

    def wrap(self, audio: bytes) -> bytes:
        """What is sent in all: the audio, behind a header if the guise is a file."""
        form = self.format
        return riff(audio, form.sample_rate, form.channels) if self.file else audio

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The chunks, in order."""
        for start in range(0, len(data), self.chunk_bytes):
            yield data[start : start + self.chunk_bytes]


def chunk_bytes(form: AudioFormat, milliseconds: float) -> int:
    """Size of a chunk of this length, in whole frames and at least one."""
    return max(1, round(form.sample_rate * milliseconds / 1000)) * form.frame_bytes
