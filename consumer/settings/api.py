"""How to reach the detection API, who we are there and what we ask of it."""

from typing import Literal

from pydantic import ByteSize, Field, FilePath, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from consumer.model import LevelChoice
from consumer.settings.address import Remote
from consumer.settings.group import Group
from consumer.settings.secret import read_secret

Method = Literal["DeepfakeDetection", "StreamAudio"]


class ApiSettings(Group):
    """The endpoint, the credentials, the question and the patience."""

    target: Remote = Field(
        description="The API's endpoint, HOST:PORT. No default, so that audio never goes "
        "anywhere by accident."
    )
    tls: bool = Field(
        True,
        description="Encrypt the connection. On; off only for a sandbox on the same machine, "
        "because token and audio are readable on the way otherwise.",
    )
    ca_file: FilePath | None = Field(
        None,
        description="PEM file of the authorities that sign the API's certificate. Default: those "
        "that gRPC brings along.",
    )
    cid: int = Field(
        ge=1,
        lt=1 << 63,
        description="The project's number at the API; part of every message.",
    )
    token_file: FilePath | None = Field(
        None,
        description="File that holds the token, such as a mounted secret. Read when streams are "
        "set up, so a new token needs no new environment.",
    )
    token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The API token; part of every message. This or the file is required.",
    )
    method: Method = Field(
        "DeepfakeDetection",
        description="The API's method to call; what StreamAudio finds passes through as it is.",
    )
    level: LevelChoice = Field(
        LevelChoice.ALL,
        description="Which results to ask for: of every segment of 2 s, of whole utterances, or "
        "all, so that readers have the fast and the sure answer. A record's header wins.",
    )
    logits: bool = Field(
        False, description="Ask for logits beside the posteriors. Off: few readers use them."
    )
    embedding: bool = Field(
        False,
        description="Ask for feature embeddings. Off: they make results many times larger.",
    )
    streams_per_channel: int = Field(
        100,
        ge=1,
        description="Streams that share one connection. 100 is the limit of common proxies, "
        "beyond which calls wait without a word.",
    )
    horizon_seconds: float = Field(
        60.0,
        gt=0,
        description="Audio that waits this long for a result makes its stream close and open "
        "anew, because only a result or the API's OK proves that it was judged. 60 s is thus the "
        "longest utterance that isn't cut.",
    )
    stream_limit_seconds: float = Field(
        0.0,
        ge=0,
        description="The API's longest stream; ours change over before it. 0: the API documents "
        "none.",
    )
    connect_timeout_seconds: float = Field(
        10.0, gt=0, description="How long a connection may take. 10 s: a slow handshake twice over."
    )
    close_timeout_seconds: float = Field(
        30.0,
        gt=0,
        description="From our half-close, or the last result after it, to the API's OK. 30 s: "
        "results that are behind take that long; a stream that is silent for longer counts as "
        "broken.",
    )
    stall_timeout_seconds: float = Field(
        30.0,
        gt=0,
        description="How long the API may leave one message untaken before the stream counts as "
        "broken. 30 s: longer than a pause for breath of a busy server.",
    )
    stall_grace_seconds: float = Field(
        2.0,
        gt=0,
        description="After this long with a message untaken the session's audio is forgotten on "
        "arrival, instead of holding its partition back. 2 s: longer than a healthy pause.",
    )
    keepalive_seconds: float = Field(
        300.0,
        ge=10,
        description="Pause between keepalive pings. 5 min, because servers close connections "
        "that ping more often without data.",
    )
    max_receive_bytes: ByteSize = Field(
        ByteSize(16 << 20),
        ge=1 << 16,
        description="Largest message that is taken from the API. 16 MiB: four times gRPC's "
        "default, since embeddings are large.",
    )

    @field_validator("token", mode="after")
    @classmethod
    def _one_token(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "token_file" not in info.data:
            return token  # the file itself is wrong, which is reported already
        given = [
            token is not None and bool(token.get_secret_value()),
            bool(info.data["token_file"]),
        ]
        if not any(given):
            text = "is required; set it, or CONSUMER_API__TOKEN_FILE"
            raise PydanticCustomError("setting", text)
        if all(given):
            raise PydanticCustomError("setting", "set this or CONSUMER_API__TOKEN_FILE, not both")
        return token

    def access_token(self) -> str:
        """The token, read anew from its file. Raises ConfigurationError."""
        if self.token_file is not None:
            return read_secret(self.token_file, "CONSUMER_API__TOKEN_FILE")
        return self.token.get_secret_value() if self.token else ""
