"""The words are valid once built, and errors say what they carry."""

import pytest

from consumer.errors import (
    ConfigurationError,
    ConsumerError,
    Fault,
    KafkaFailed,
    KafkaRefused,
    LocalProtocolError,
    OwnershipLost,
    RecordError,
    RecordTooLarge,
    StreamFailed,
)
from consumer.model import AudioFormat, Encoding, Hertz, Level, LevelChoice


@pytest.mark.parametrize(
    ("choice", "level"),
    [
        (LevelChoice.SEGMENT, Level.SEGMENT),
        (LevelChoice.UTTERANCE, Level.UTTERANCE),
        (LevelChoice.ALL, Level.UTTERANCE),
    ],
)
def test_utterances_govern_wherever_they_come(choice: LevelChoice, level: Level) -> None:
    """Only without them segments settle audio."""
    assert choice.governing is level


@pytest.mark.parametrize(
    ("encoding", "channels", "size"),
    [
        (Encoding.PCM_S16LE, 1, 2),
        (Encoding.PCM_S16BE, 2, 4),
        (Encoding.PCM_MULAW, 1, 1),
        (Encoding.PCM_ALAW, 3, 3),
    ],
)
def test_a_frame_holds_a_sample_of_each_channel(
    encoding: Encoding, channels: int, size: int
) -> None:
    """In bytes as sent."""
    assert AudioFormat(encoding, channels=channels).frame_bytes == size


@pytest.mark.parametrize(
    "numbers",
    [(0, 1, 0), (384_001, 1, 0), (8000, 0, 0), (8000, 65, 0), (8000, 2, 2), (8000, 2, -1)],
)
def test_a_format_that_can_not_be_is_refused(numbers: tuple[int, int, int]) -> None:
    """Rates, channels and the channel chosen have their bounds."""
    rate, channels, channel = numbers
    with pytest.raises(ValueError, match="is not within"):
        AudioFormat(Encoding.PCM_S16LE, Hertz(rate), channels, channel)


def test_errors_say_what_they_carry() -> None:
    """In one line for people, in fields for programs."""
    setting = ConfigurationError("is missing", "CONSUMER_API__CID")
    assert (str(setting), setting.variable) == (
        "CONSUMER_API__CID: is missing",
        "CONSUMER_API__CID",
    )
    assert str(ConfigurationError("nothing fits")) == "nothing fits"
    record = RecordError("bad-audio", "odd length")
    assert (str(record), record.reason, record.detail) == (
        "bad-audio: odd length",
        "bad-audio",
        "odd length",
    )
    stream = StreamFailed(Fault.AUDIO, "OUT_OF_RANGE", "too long")
    assert (str(stream), stream.fault) == ("OUT_OF_RANGE: too long", Fault.AUDIO)


@pytest.mark.parametrize("lost", [KafkaRefused, RecordTooLarge, OwnershipLost])
def test_whoever_catches_kafka_failures_catches_all_of_them(lost: type[KafkaFailed]) -> None:
    """The tree is as it is drawn."""
    assert issubclass(lost, KafkaFailed)
    assert issubclass(lost, ConsumerError)
    assert issubclass(LocalProtocolError, ConsumerError)
