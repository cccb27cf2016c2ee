"""WAV files as plain samples, for whoever feeds them to the topic."""

import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

from consumer.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Sound:
    """Signed 16-bit little-endian samples, channels interleaved; sample_rate in Hz."""

    samples: bytes
    sample_rate: int
    channels: int = 1

    @property
    def frames(self) -> int:
        """Length in samples of one channel."""
        return len(self.samples) // (2 * self.channels)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def channel(self, number: int) -> "Sound":
        """One channel of it, counted from 0."""
        if self.channels == 1:
            return self
        samples = array("H", self.samples)[number :: self.channels]
        return Sound(samples.tobytes(), self.sample_rate)


def read_wav(path: Path) -> Sound:
    """The sound of a 16-bit PCM WAV file. Raises ConfigurationError that says how to convert."""
    hint = f"convert it first, such as with: ffmpeg -i {path} -c:a pcm_s16le out.wav"
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                bits = 8 * file.getsampwidth()
                raise ConfigurationError(f"{path} has {bits}-bit samples, not 16-bit; {hint}")
            samples = file.readframes(file.getnframes())
            whole = len(samples) - len(samples) % (2 * file.getnchannels())
            sound = Sound(samples[:whole], file.getframerate(), file.getnchannels())
    except OSError as error:
        raise ConfigurationError(f"can't read {path}: {error.strerror}") from error
    except (wave.Error, EOFError) as error:
        raise ConfigurationError(
            f"{path} is no WAV file of 16-bit PCM ({error}); {hint}"
        ) from error
    if not sound.frames:
        raise ConfigurationError(f"{path} holds no sound")
    return sound


def riff(data: bytes, sample_rate: int, channels: int = 1) -> bytes:
    """A canonical 44-byte header for 16-bit PCM, and the samples."""
    head = (
        b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    )
    numbers = ((1, 2), (channels, 2), (sample_rate, 4), (sample_rate * channels * 2, 4))
    form = b"".join(number.to_bytes(size, "little") for number, size in numbers)
    tail = (channels * 2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    return head + form + tail + b"data" + len(data).to_bytes(4, "little") + data
