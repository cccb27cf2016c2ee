"""The API's messages."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.rpc import AudioWriter, config_message, read_result
from consumer.errors import Fault, StreamFailed
from consumer.model import (
    Hertz,
    Level,
    LevelChoice,
    Prediction,
    StreamConfig,
    StreamMessage,
    StreamResult,
)
from consumer.pb import api_pb2 as pb


def item(start: str = "0.00", end: str = "2.00", **more: object) -> pb.InferenceResult:
    return pb.InferenceResult(id="2", start_time=start, end_time=end, task="deepfake", **more)  # type: ignore[arg-type] # any of the message's fields


def read(*items: pb.InferenceResult, asked: LevelChoice = LevelChoice.ALL) -> StreamMessage:
    return read_result(pb.StreamResult(cid=1, pid=8, result=items), asked)


@pytest.mark.parametrize(
    ("level", "octets"),
    [
        (LevelChoice.UTTERANCE, "087b1203746f6b1a0510807d1801"),
        (LevelChoice.SEGMENT, "087b1203746f6b1a0510807d1800"),
        (LevelChoice.ALL, "087b1203746f6b1a0310807d"),
    ],
)
def test_config_on_the_wire(level: LevelChoice, octets: str) -> None:
    """The config is byte for byte what the vendor's own clients send; `all` names no level."""
    message = config_message(123, "tok", StreamConfig(Hertz(16_000), level))
    assert message.SerializeToString().hex() == octets


def test_config_options() -> None:
    """Logits and embeddings are asked for only when wanted, and absent otherwise."""
    config = StreamConfig(Hertz(8000), LevelChoice.ALL)
    plain = config_message(1, "t", config).config
    assert not plain.HasField("logits")
    assert not plain.HasField("feature_embedding")
    full = config_message(1, "t", config, logits=True, embedding=True).config
    assert full.logits
    assert full.feature_embedding


def test_audio() -> None:
    """Audio messages carry credentials and audio, and no config."""
    message = pb.AudioStream.FromString(AudioWriter(123, "tok").write(b"\1\2"))
    assert message == pb.AudioStream(cid=123, x_auth_token="tok", audio_content=b"\1\2")
    assert not message.HasField("config")


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.text(),
    st.lists(st.sampled_from([0, 2, 126, 128, 640, 8000, 16_384, 16_385]).map(bytes)),
)
def test_audio_is_written_as_protobuf_writes_it(cid: int, token: str, audio: list[bytes]) -> None:
    """Byte for byte, whatever lengths follow each other."""
    writer = AudioWriter(cid, token)
    for piece in audio:
        like = pb.AudioStream(cid=cid, x_auth_token=token, audio_content=piece)
        assert writer.write(piece) == like.SerializeToString()


def test_result() -> None:
    """Every field of a result arrives, numbers parsed and times exact."""
    found = item(
        "0.10",
        "9.3",
        prediction=[
            pb.Prediction(label="bonafide", posterior="0.9999", logit="-1.5", score="1"),
            pb.Prediction(label="spoofed", posterior="1e-04", logit=""),
        ],
        final_label="bonafide",
        embedding="[1,2]",
        level=pb.utterance,
    )
    message = pb.StreamResult(cid=5, pid=8, message_id=3, result=[found])
    assert read_result(message, LevelChoice.ALL) == StreamMessage(
        cid=5,
        pid=8,
        message_id=3,
        results=(
            StreamResult(
                id="2",
                start=Fraction(1, 10),
                end=Fraction(93, 10),
                task="deepfake",
                level=Level.UTTERANCE,
                final_label="bonafide",
                predictions=(
                    Prediction("bonafide", 0.9999, -1.5, 1.0),
                    Prediction("spoofed", 0.0001, None, None),
                ),
                embedding="[1,2]",
            ),
        ),
    )


def test_several_results() -> None:
    """Unknown tasks and labels pass, several to a message; empty embeddings were not asked for."""
    message = read(item(final_label="martian", embedding=""), item(), asked=LevelChoice.SEGMENT)
    assert [result.final_label for result in message.results] == ["martian", ""]
    assert message.results[0].embedding is None


@pytest.mark.parametrize(
    ("asked", "level"),
    [
        (LevelChoice.SEGMENT, Level.SEGMENT),
        (LevelChoice.UTTERANCE, Level.UTTERANCE),
        (LevelChoice.ALL, Level.SEGMENT),
    ],
)
def test_absent_level(asked: LevelChoice, level: Level) -> None:
    """Without a level, a result is of the level asked for, or a segment if both were."""
    assert read(item(), asked=asked).results[0].level is level


def test_said_level() -> None:
    """A level that is said counts, whatever was asked for."""
    message = read(item(level=pb.segment), item(level=pb.utterance), asked=LevelChoice.UTTERANCE)
    assert [result.level for result in message.results] == [Level.SEGMENT, Level.UTTERANCE]


def test_unknown_level() -> None:
    """A result of a level that this program doesn't know is left out, its neighbours are not."""
    strange = pb.InferenceResult.FromString(item("x").SerializeToString() + b"\x40\x07")
    assert len(read(strange, item()).results) == 1


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "high", "0,5"])
def test_no_number(text: str) -> None:
    """A probability that is none is left out; its label stays."""
    prediction = pb.Prediction(label="spoofed", posterior=text)
    assert read(item(prediction=[prediction])).results[0].predictions == (Prediction("spoofed"),)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("", "2.00"),
        ("0.00", ""),
        ("zero", "2.00"),
        ("-0.01", "2.00"),
        ("0.00", "nan"),
        ("0.00", "sNaN"),
        ("0.00", "inf"),
        ("0.00", "1e10"),
        ("0.00", "1e999999999"),
        ("0.00", "2." + "0" * 40),
        ("1/3", "2.00"),
        ("2.01", "2.00"),
    ],
)
def test_malformed_times(start: str, end: str) -> None:
    """Times that make no sense break the stream, since offsets are settled by them."""
    with pytest.raises(StreamFailed, match="makes no sense") as caught:
        read(item(start, end))
    assert (caught.value.fault, caught.value.code) == (Fault.TRANSIENT, "DATA_LOSS")


@pytest.mark.parametrize("text", ["0", "-0.0", "0e-99999999", "1e-99999999", "1e-13"])
def test_tiny_times(text: str) -> None:
    """Zero in any disguise is zero, and costs nothing."""
    assert read(item(text, "2.00")).results[0].start == 0


@given(st.integers(0, 10**11))
def test_times_are_exact(hundredths: int) -> None:
    """Two decimals give exactly that many hundredths."""
    text = f"{hundredths // 100}.{hundredths % 100:02}"
    if hundredths < 10**11:
        assert read(item("0", text)).results[0].end == Fraction(hundredths, 100)
    else:
        with pytest.raises(StreamFailed):
            read(item("0", text))


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_times(start: str, end: str) -> None:
    """Whatever stands for a time, it is a time or breaks the stream."""
    try:
        (result,) = read(item(start, end)).results
    except StreamFailed:
        return
    assert 0 <= result.start <= result.end


def test_no_secret_in_errors() -> None:
    """A long foreign text is cut in errors."""
    with pytest.raises(StreamFailed) as caught:
        read(item("x" * 1000))
    assert len(str(caught.value)) < 150
