"""How spans and scores look on the wire.

Formats follow the public samples: times with two decimals; posteriors rounded to four and printed
as a 32-bit float prints itself, so "1.0", "0.0", "0.995" and even "1e-04" occur; the likelier label
first, which is the final label (bonafide when both are equal); `logit` and `embedding` present but
empty when not asked for. Not public, so our own choice: logits are half the log-odds, positive and
negative, such that their softmax gives the posteriors.
"""

import json
import math

import numpy as np

from consumer.pb import api_pb2
from consumer.sandbox.rules import StreamConfig
from consumer.sandbox.scorer import Score
from consumer.sandbox.segments import Centiseconds, Span

TASK = "deepfake"


def answer(span: Span, score: Score, config: StreamConfig) -> api_pb2.InferenceResult:
    """The result to send for a span."""
    real = round(1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, score.log_odds)))), 4)
    half = score.log_odds / 2 if config.logits else None
    predictions = [
        _prediction("bonafide", real, half),
        _prediction("spoofed", round(1.0 - real, 4), None if half is None else -half),
    ]
    if real < 0.5:
        predictions.reverse()
    return api_pb2.InferenceResult(
        id=str(span.id),
        start_time=_seconds(span.start),
        end_time=_seconds(span.end),
        task=TASK,
        prediction=predictions,
        final_label=predictions[0].label,
        embedding=_array(score.embedding) if config.embedding else "",
        level=span.level.value,
    )


def _prediction(label: str, posterior: float, logit: float | None) -> api_pb2.Prediction:
    text = "" if logit is None else _number(logit)
    return api_pb2.Prediction(label=label, posterior=_number(posterior), logit=text)


def _number(value: float) -> str:
    return str(np.float32(round(value, 4)))


def _seconds(time: Centiseconds) -> str:
    return f"{time // 100}.{time % 100:02d}"


def _array(values: tuple[float, ...]) -> str:
    return json.dumps([round(value, 6) for value in values])
