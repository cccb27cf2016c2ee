"""What is said on one stream, as bytes: the credentials are in every message."""

from google.protobuf.message import DecodeError

from consumer.adapters.analyzer.options import AnalyzerOptions
from consumer.codec.rpc import AudioWriter, config_message, read_result
from consumer.errors import Fault, StreamFailed
from consumer.model import StreamConfig, StreamMessage
from consumer.pb import api_pb2


class Words:
    """The messages of one stream. `secret`: to be masked where the server repeats it.
    audio: writes each message after the config.
    """

    __slots__ = ("_level", "audio", "config", "secret")

    def __init__(self, options: AnalyzerOptions, token: str, config: StreamConfig) -> None:
        self._level = config.level
        self.secret = token
        self.audio = AudioWriter(options.cid, token).write
        self.config: bytes = config_message(
            options.cid, token, config, logits=options.logits, embedding=options.embedding
        ).SerializeToString()

    def result(self, message: bytes) -> StreamMessage:
        """What a response says. Raises StreamFailed (DATA_LOSS)."""
        try:
            said = api_pb2.StreamResult.FromString(message)
        except DecodeError as error:
            text = "the API's answer can't be decoded"
            raise StreamFailed(Fault.TRANSIENT, "DATA_LOSS", text) from error
        return read_result(said, self._level)
