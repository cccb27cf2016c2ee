"""Samples in any accepted format to those the API takes: signed 16-bit little-endian, mono.

The way is chosen once per format, since choosing it per chunk would cost more than going it.
Audio that already is as it should be comes back as the same object, uncopied.
"""

from array import array
from collections.abc import Callable

from consumer.codec.g711 import ALAW, MULAW
from consumer.model import AudioFormat, Encoding

_LAWS = {Encoding.PCM_MULAW: MULAW, Encoding.PCM_ALAW: ALAW}


class Transcoder:
    """frame_bytes: bytes of one frame of all channels, as they come in."""

    __slots__ = ("decode", "format", "frame_bytes")

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        self.frame_bytes = audio_format.frame_bytes
        self.decode = _way(audio_format)
        """Whole frames in, samples of the chosen channel out."""


def _way(audio_format: AudioFormat) -> Callable[[bytes], bytes]:
    channel, channels = audio_format.channel, audio_format.channels
    law = _LAWS.get(audio_format.encoding)
    if law is not None:
        expand = law.expand
        return expand if channels == 1 else lambda data: expand(data[channel::channels])
    big = audio_format.encoding is Encoding.PCM_S16BE
    if channels == 1 and not big:
        return bytes

    def rearrange(data: bytes) -> bytes:
        samples = array("H", data)[channel::channels]
        if big:
            samples.byteswap()
        return samples.tobytes()

    return rearrange
