"""What a caller may send: the rules for every message of a stream.

The vendor documents the order (the config first and alone, then audio only) and that project
number and token belong into every message; which statuses it answers with is not public. Here a
wrong credential is UNAUTHENTICATED and anything malformed INVALID_ARGUMENT. Credentials are looked
at first, so a stranger learns nothing else.
"""

import hmac
from dataclasses import dataclass, field

from consumer.pb import api_pb2
from consumer.sandbox.errors import Refused
from consumer.sandbox.segments import Level


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """A config message, understood. sample_rate in Hz; levels: those that results are sent for."""

    sample_rate: int
    levels: frozenset[Level]
    logits: bool
    embedding: bool

    @property
    def level(self) -> str:
        """The level as a caller would name it."""
        return next(iter(self.levels)).value if len(self.levels) == 1 else "all"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may call. None stands for any positive project number, or any token but the empty one."""

    cid: int | None = None
    token: str | None = field(default=None, repr=False)

    def admit(self, cid: int, token: str) -> "Credentials":
        """The credentials that the rest of the stream has to carry. Raises Refused."""
        if cid <= 0 or not token:
            raise Refused("UNAUTHENTICATED", "every message needs a cid and an x_auth_token")
        wanted_cid = cid if self.cid is None else self.cid
        wanted_token = token if self.token is None else self.token
        # Both comparisons always happen, and take the same time whatever differs.
        same_cid = hmac.compare_digest(str(cid), str(wanted_cid))
        same_token = hmac.compare_digest(token.encode(), wanted_token.encode())
        if not (same_cid and same_token):
            raise Refused("UNAUTHENTICATED", f"the token is not valid for cid {cid}")
        return Credentials(cid, token)


def read_config(message: api_pb2.AudioStream) -> StreamConfig:
    """Understand the first message of a stream. Raises Refused."""
    if not message.HasField("config"):
        raise _invalid("the first message must hold the config")
    if message.audio_content:
        raise _invalid("the first message must not hold audio beside the config")
    config = message.config
    if config.encoding != api_pb2.LINEAR_PCM:
        raise _invalid(f"encoding {config.encoding} is not known, only LINEAR_PCM (0)")
    if config.sample_rate_hertz <= 0:
        raise _invalid(f"sample_rate_hertz must be positive, not {config.sample_rate_hertz}")
    return StreamConfig(
        config.sample_rate_hertz, _levels(config), config.logits, config.feature_embedding
    )


def read_audio(message: api_pb2.AudioStream) -> bytes:
    """Understand any later message of a stream. Raises Refused."""
    if message.HasField("config"):
        raise _invalid("only the first message may hold a config")
    if not message.audio_content:
        raise _invalid("every message after the config must hold audio")
    if len(message.audio_content) % 2:
        raise _invalid(f"{len(message.audio_content)} bytes of audio are not whole 16-bit samples")
    return message.audio_content


def _levels(config: api_pb2.AudioConfig) -> frozenset[Level]:
    if not config.HasField("level"):
        return frozenset(Level)
    if config.level not in api_pb2.Level.values():
        raise _invalid(f"level {config.level} is not known, only segment (0) and utterance (1)")
    return frozenset({Level(api_pb2.Level.Name(config.level))})


def _invalid(detail: str) -> Refused:
    return Refused("INVALID_ARGUMENT", detail)
