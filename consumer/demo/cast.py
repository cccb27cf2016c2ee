"""The calls of the demo: real speech from the clips, each in another guise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from consumer.codec.fields import ContentType
from consumer.demo.call import Call
from consumer.demo.guise import Guise, chunk_bytes
from consumer.demo.reference import heard
from consumer.demo.wav import read_wav
from consumer.model import AudioFormat, Encoding, Hertz, SessionKey

CLIPS = Path(__file__).parent / "clips"

_READING = ("reading_unless", 1.5, "reading_amiable", 1.0)
_TALE = ("reading_young_man", 1.0, "reading_unless", 0.5)
_DELIVERY = (0.7, "synthetic_delivery", 1.3, "synthetic_delivery", 1.0)
_PAUSES = ("synthetic_pauses",)
_MIXED = ("reading_amiable", 2.0, "synthetic_delivery", 1.2)
_SILENCE = (12.0,)

Script = Sequence[str | float]
"""Names of clips, and seconds of silence between them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call of the demo. expected: what the API should hear, by the second opinion.

    speaks: there is speech in it, so results must come.
    """

    call: Call
    expected: bytes
    speaks: bool


def cast() -> tuple[Part, ...]:
    """All calls of the demo, the same every time."""
    pcm, big = Encoding.PCM_S16LE, Encoding.PCM_S16BE
    mulaw, alaw = Encoding.PCM_MULAW, Encoding.PCM_ALAW
    json, protobuf = ContentType.JSON, ContentType.PROTOBUF
    rows: tuple[tuple[str, Script, Guise], ...] = (
        ("wideband", _READING, _guise("16 kHz PCM, 250 ms", _form(pcm, 16_000), 250)),
        ("telephone", _PAUSES, _guise("8 kHz mu-law, 20 ms", _form(mulaw, 8_000), 20)),
        ("trunk", _TALE, _guise("8 kHz A-law, 20 ms", _form(alaw, 8_000), 20)),
        ("studio", _MIXED, _guise("44.1 kHz PCM, 100 ms", _form(pcm, 44_100), 100)),
        ("big-endian", _DELIVERY, _guise("16 kHz big-endian, 60 ms", _form(big, 16_000), 60)),
        ("stereo", _TALE, _guise("2nd of 2 channels, 100 ms", _form(pcm, 16_000, 2, 1), 100)),
        ("json", _MIXED, _guise("JSON envelope, 200 ms", _form(pcm, 16_000), 200, json)),
        ("protobuf", _PAUSES, _guise("protobuf, 40 ms", _form(mulaw, 8_000), 40, protobuf)),
        ("file", _READING, _file("WAV file, cut anywhere", _form(pcm, 22_050), 3_333)),
        ("on-hold", _SILENCE, _guise("silence, mu-law", _form(mulaw, 8_000), 20)),
    )
    return tuple(_part(f"demo-{key}", script, guise) for key, script, guise in rows)


def _form(encoding: Encoding, rate: int, channels: int = 1, channel: int = 0) -> AudioFormat:
    return AudioFormat(encoding, Hertz(rate), channels, channel)


def _guise(
    name: str, form: AudioFormat, milliseconds: int, content: ContentType = ContentType.RAW
) -> Guise:
    size = chunk_bytes(form, milliseconds)
    return Guise(name=name, format=form, chunk_bytes=size, content=content)


def _file(name: str, form: AudioFormat, size: int) -> Guise:
    return Guise(name=name, format=form, chunk_bytes=size, file=True)


def _part(key: str, script: Script, guise: Guise) -> Part:
    rate = guise.format.sample_rate
    mono = _spoken(script, rate)
    others = _spoken(_DELIVERY, rate) if guise.format.channels > 1 else b""
    audio = guise.dress(mono, others)
    call = Call(key=SessionKey(key), guise=guise, data=guise.wrap(audio))
    speaks = any(isinstance(piece, str) for piece in script)
    return Part(call, heard(audio, guise.format), speaks)


def _spoken(script: Script, rate: int) -> bytes:
    """The script at a rate, as mono 16-bit samples."""
    return b"".join(
        _clip(piece, rate) if isinstance(piece, str) else bytes(2 * round(piece * rate))
        for piece in script
    )


def _clip(name: str, rate: int) -> bytes:
    sound = read_wav(CLIPS / f"{name}.wav").channel(0)
    if sound.sample_rate == rate:
        return sound.samples
    samples = np.frombuffer(sound.samples, "<i2")
    resampled: bytes = soxr.resample(samples, sound.sample_rate, rate).astype("<i2").tobytes()
    return resampled
