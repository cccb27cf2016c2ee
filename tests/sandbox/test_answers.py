"""Results look on the wire as the vendor's samples do."""

import json

import numpy as np
import pytest

from consumer.pb import api_pb2
from consumer.sandbox.answers import answer
from consumer.sandbox.rules import StreamConfig
from consumer.sandbox.scorer import Score
from consumer.sandbox.segments import Centiseconds, Level, Span

PLAIN = StreamConfig(16_000, frozenset(Level), logits=False, embedding=False)
SPAN = Span(14, Level.UTTERANCE, Centiseconds(0), Centiseconds(900))


def log_odds(probability: float) -> float:
    """The log-odds of a probability."""
    return float(np.log(probability) - np.log1p(-probability))


def test_sample_of_the_documentation() -> None:
    """The first result of the vendor's public example, field for field."""
    expected = api_pb2.InferenceResult(
        id="14",
        start_time="0.00",
        end_time="9.00",
        task="deepfake",
        prediction=[
            api_pb2.Prediction(label="bonafide", posterior="0.995", logit=""),
            api_pb2.Prediction(label="spoofed", posterior="0.005", logit=""),
        ],
        final_label="bonafide",
        embedding="",
        level=api_pb2.utterance,
    )
    result = answer(SPAN, Score(log_odds(0.995), (1.0,)), PLAIN)
    assert result == expected
    assert result.HasField("embedding")
    assert result.prediction[0].HasField("logit")
    assert not result.prediction[0].HasField("score")


@pytest.mark.parametrize(
    ("probability", "texts"),
    [
        (0.9991, ["0.9991", "0.0009"]),
        (0.51, ["0.51", "0.49"]),
        (0.9999, ["0.9999", "1e-04"]),
        (0.999_99, ["1.0", "0.0"]),
        (0.5, ["0.5", "0.5"]),
        (0.1, ["0.9", "0.1"]),
    ],
)
def test_posteriors_print_like_floats(probability: float, texts: list[str]) -> None:
    """Four decimals at most, as a float prints itself; the likelier label first."""
    result = answer(SPAN, Score(log_odds(probability)), PLAIN)
    assert [prediction.posterior for prediction in result.prediction] == texts
    first = "bonafide" if probability >= 0.5 else "spoofed"
    assert result.final_label == result.prediction[0].label == first


@pytest.mark.parametrize("odds", [-1e9, -40.0, 40.0, 1e9])
def test_certainty_has_no_limit(odds: float) -> None:
    """Enormous log-odds are a certainty, not an error."""
    result = answer(SPAN, Score(odds), PLAIN)
    assert [prediction.posterior for prediction in result.prediction] == ["1.0", "0.0"]


def test_logits_give_the_posteriors() -> None:
    """Logits when asked for; their softmax is the posteriors."""
    config = StreamConfig(16_000, frozenset(Level), logits=True, embedding=False)
    result = answer(SPAN, Score(log_odds(0.2)), config)
    logits = np.array([float(prediction.logit) for prediction in result.prediction])
    posteriors = [float(prediction.posterior) for prediction in result.prediction]
    assert np.exp(logits) / np.exp(logits).sum() == pytest.approx(posteriors, abs=1e-4)


def test_embedding_is_json() -> None:
    """The scorer's numbers as a JSON array when asked for."""
    config = StreamConfig(16_000, frozenset(Level), logits=False, embedding=True)
    assert json.loads(answer(SPAN, Score(1.0, (0.25, 0.5)), config).embedding) == [0.25, 0.5]


def test_times_have_two_decimals() -> None:
    """Hundredths are printed in full."""
    span = Span(3, Level.SEGMENT, Centiseconds(6_000), Centiseconds(6_105))
    result = answer(span, Score(0.0), PLAIN)
    assert (result.start_time, result.end_time) == ("60.00", "61.05")
    assert result.HasField("level")
    assert result.level == api_pb2.segment
