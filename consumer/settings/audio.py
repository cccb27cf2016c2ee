"""What is true of a record that doesn't say otherwise, and how results are written."""

from typing import Self

from pydantic import Field, model_validator

from consumer.codec.fields import ContentType
from consumer.codec.shapes import OutputFormat
from consumer.model import AudioFormat, Encoding, Hertz
from consumer.settings.group import Group, wrong


class AudioSettings(Group):
    """Defaults of the input's message contract; a record's headers win."""

    content_type: ContentType = Field(
        ContentType.RAW,
        description="How values are written: audio bytes as they are, a JSON object or a protobuf "
        "message. `raw`, because it needs no schema and costs the least.",
    )
    encoding: Encoding = Field(
        Encoding.PCM_S16LE,
        description="How samples are written. Little-endian 16-bit PCM, because that is what the "
        "API takes.",
    )
    sample_rate_hertz: int = Field(
        16_000,
        ge=1,
        le=384_000,
        description="Frames per second. 16 kHz: the API's models work at this rate.",
    )
    channels: int = Field(
        1, ge=1, le=64, description="Interleaved channels in a value. 1: one call leg per key."
    )
    channel: int = Field(
        0, ge=0, le=63, description="Which of them to judge, from 0. The first, for want of better."
    )

    @model_validator(mode="after")
    def _channel_exists(self) -> Self:
        if self.channel >= self.channels:
            raise wrong("channel", f"must be below CONSUMER_AUDIO__CHANNELS, {self.channels}")
        return self

    def audio_format(self) -> AudioFormat:
        """The format of a record without headers."""
        rate = Hertz(self.sample_rate_hertz)
        return AudioFormat(self.encoding, rate, self.channels, self.channel)


class OutputSettings(Group):
    """How results, session events and dead letters are written."""

    content_type: OutputFormat = Field(
        OutputFormat.JSON,
        description="How results and session events are written. `json`, because every reader "
        "can read it.",
    )
