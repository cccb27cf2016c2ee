"""Reading WAV files, and what is said about files that are none."""

import wave
from pathlib import Path

import pytest

from consumer.demo.cast import CLIPS
from consumer.demo.wav import Sound, read_wav, riff
from consumer.errors import ConfigurationError


def write(path: Path, frames: bytes, *, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8_000)
        file.writeframes(frames)
    return path


def test_sound_is_read(tmp_path: Path) -> None:
    """Samples, rate and channels come out as they went in."""
    sound = read_wav(write(tmp_path / "a.wav", b"\1\0\2\0\3\0\4\0", channels=2))
    assert sound == Sound(b"\1\0\2\0\3\0\4\0", 8_000, 2)
    assert (sound.frames, sound.seconds) == (2, 2 / 8_000)
    assert sound.channel(1) == Sound(b"\2\0\4\0", 8_000)
    assert sound.channel(0).channel(0).samples == b"\1\0\3\0"


def test_header_is_what_others_read(tmp_path: Path) -> None:
    """Our header is understood by the standard library."""
    path = tmp_path / "b.wav"
    path.write_bytes(riff(b"\1\0\2\0\3\0\4\0", 22_050, 2))
    assert read_wav(path) == Sound(b"\1\0\2\0\3\0\4\0", 22_050, 2)


@pytest.mark.parametrize("clip", sorted(CLIPS.glob("*.wav")), ids=lambda path: path.stem)
def test_clips_can_be_read(clip: Path) -> None:
    """Every clip that is shipped is a mono file with at least two seconds of sound."""
    sound = read_wav(clip)
    assert sound.channels == 1
    assert sound.seconds > 2


def test_clips_have_their_notice() -> None:
    """No clip is shipped without saying where it comes from, and they stay small."""
    notice = (CLIPS / "NOTICE").read_text()
    clips = list(CLIPS.glob("*.wav"))
    assert len(clips) >= 5
    assert all(clip.name in notice for clip in clips)
    assert sum(clip.stat().st_size for clip in clips) < 1_000_000


def test_eight_bit_is_refused(tmp_path: Path) -> None:
    """Other sample sizes are told with a way out."""
    path = write(tmp_path / "c.wav", b"\1\2\3", width=1)
    with pytest.raises(ConfigurationError, match="8-bit samples, not 16-bit; convert it first"):
        read_wav(path)


@pytest.mark.parametrize("content", [b"", b"ID3\4 not a wave file at all", b"RIFF\4\0\0\0WAVE"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """What is no WAV file is told with a way out."""
    path = tmp_path / "d.mp3"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is no WAV file of 16-bit PCM"):
        read_wav(path)


def test_missing_and_empty_files_are_told(tmp_path: Path) -> None:
    """A wrong path and a file without sound are a person's mistakes."""
    with pytest.raises(ConfigurationError, match=r"can't read .*nothing\.wav: No such file"):
        read_wav(tmp_path / "nothing.wav")
    with pytest.raises(ConfigurationError, match="holds no sound"):
        read_wav(write(tmp_path / "e.wav", b""))
