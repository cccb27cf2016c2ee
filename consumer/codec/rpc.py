"""The API's messages to our words and back.

Every number in a result is text. Times decide what is settled and published where, so a result
whose times make no sense breaks its stream. A probability that makes no sense is left out: the
label beside it still says something.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import isfinite

from consumer.codec.fields import excerpt
from consumer.errors import Fault, StreamFailed
from consumer.model import Level, LevelChoice, Prediction, StreamConfig, StreamMessage, StreamResult
from consumer.pb import api_pb2 as pb

TIME_LIMIT = 10**9
"""Seconds; no call lasts 30 years."""

_ASKED = {LevelChoice.SEGMENT: pb.segment, LevelChoice.UTTERANCE: pb.utterance}
_LEVELS: dict[int, Level] = {pb.segment: Level.SEGMENT, pb.utterance: Level.UTTERANCE}
_TEXT_LIMIT = 32
_DECIMALS = 12
"""Smaller times are nothing, and would cost much to write out."""


def config_message(
    cid: int, token: str, config: StreamConfig, *, logits: bool = False, embedding: bool = False
) -> pb.AudioStream:
    """The first message of a stream. Level `all` is asked for by naming no level."""
    return pb.AudioStream(
        cid=cid,
        x_auth_token=token,
        config=pb.AudioConfig(
            encoding=pb.LINEAR_PCM,
            sample_rate_hertz=config.sample_rate,
            level=_ASKED.get(config.level),
            logits=logits or None,
            feature_embedding=embedding or None,
        ),
    )


class AudioWriter:
    """Every later message of a stream: signed 16-bit little-endian mono samples, whole frames.

    All but the audio is the same in each message of one length, and the audio comes last, so what
    stands in front of it is written once per length.
    """

    __slots__ = ("_cid", "_front", "_size", "_token")

    def __init__(self, cid: int, token: str) -> None:
        self._cid = cid
        self._token = token
        self._size = -1
        self._front = b""

    def write(self, audio: bytes) -> bytes:
        """The message that carries this audio."""
        size = len(audio)
        if size != self._size:
            like = pb.AudioStream(
                cid=self._cid, x_auth_token=self._token, audio_content=bytes(size)
            )
            whole = like.SerializeToString()
            self._size, self._front = size, whole[: len(whole) - size]
        return self._front + audio


def read_result(message: pb.StreamResult, asked: LevelChoice) -> StreamMessage:
    """What a response says; `asked` is the level of the stream's config.

    A result without a level is of the level asked for. If both were, it counts as a segment: that
    is the enum's zero, which senders leave out, and the level that settles nothing by mistake.
    Results of levels this program doesn't know are left out. Raises StreamFailed (DATA_LOSS).
    """
    implied = pb.utterance if asked is LevelChoice.UTTERANCE else pb.segment
    return StreamMessage(
        cid=message.cid,
        pid=message.pid,
        message_id=message.message_id,
        results=tuple(_results(message, implied)),
    )


def _results(message: pb.StreamResult, implied: int) -> Iterator[StreamResult]:
    for item in message.result:
        level = _LEVELS.get(item.level if item.HasField("level") else implied)
        if level is not None:
            yield _result(item, level)


def _result(item: pb.InferenceResult, level: Level) -> StreamResult:
    start, end = _seconds("start_time", item.start_time), _seconds("end_time", item.end_time)
    if end < start:
        raise _malformed(f"a result ends at {item.end_time} before its start {item.start_time}")
    return StreamResult(
        id=item.id,
        start=start,
        end=end,
        task=item.task,
        level=level,
        final_label=item.final_label,
        predictions=tuple(map(_prediction, item.prediction)),
        embedding=item.embedding or None,
    )


def _prediction(item: pb.Prediction) -> Prediction:
    return Prediction(
        label=item.label,
        posterior=_number(item.posterior),
        logit=_number(item.logit),
        score=_number(item.score),
    )


def _number(text: str) -> float | None:
    """Scientific notation occurs ("1e-04"). Empty text stands for what was not asked for."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _seconds(name: str, text: str) -> Fraction:
    """Exact seconds. A Fraction writes exponents out in full, so they are looked at first."""
    try:
        number = Decimal(text[:_TEXT_LIMIT])
    except InvalidOperation as error:
        raise _malformed(f"{name} {excerpt(text)} is not a number") from error
    if len(text) > _TEXT_LIMIT or not number.is_finite() or not 0 <= number < TIME_LIMIT:
        raise _malformed(f"{name} {excerpt(text)} is not a time within a call")
    return Fraction(number) if number.adjusted() >= -_DECIMALS and number else Fraction(0)


def _malformed(detail: str) -> StreamFailed:
    return StreamFailed(Fault.TRANSIENT, "DATA_LOSS", f"the API's answer makes no sense: {detail}")
