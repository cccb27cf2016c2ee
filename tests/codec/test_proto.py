"""The protobuf sources and the code generated from them."""

import sys
from pathlib import Path
from subprocess import run

import pytest
from google.protobuf.descriptor import FieldDescriptor

from consumer.pb import api_pb2, records_pb2

ROOT = Path(__file__).parents[2]
TYPES = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
}
# The vendor's contract: message, number, field, type, and whether presence is explicit.
API = """
AudioConfig     1 encoding          AudioEncoding   implicit
AudioConfig     2 sample_rate_hertz int32           implicit
AudioConfig     3 level             Level           optional
AudioConfig     4 logits            bool            optional
AudioConfig     5 feature_embedding bool            optional
AudioStream     1 cid               int64           implicit
AudioStream     2 x_auth_token      string          implicit
AudioStream     3 config            AudioConfig     message
AudioStream     4 audio_content     bytes           implicit
Prediction      1 label             string          implicit
Prediction      2 posterior         string          optional
Prediction      3 logit             string          optional
Prediction      4 score             string          optional
InferenceResult 1 id                string          implicit
InferenceResult 2 start_time        string          implicit
InferenceResult 3 end_time          string          implicit
InferenceResult 4 task              string          implicit
InferenceResult 5 prediction        Prediction      repeated
InferenceResult 6 final_label       string          implicit
InferenceResult 7 embedding         string          optional
InferenceResult 8 level             Level           optional
StreamResult    1 cid               int64           implicit
StreamResult    2 pid               int64           implicit
StreamResult    3 message_id        int32           implicit
StreamResult    4 result            InferenceResult repeated
"""


def presence(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "repeated"
    if field.message_type is not None:
        return "message"
    return "optional" if field.has_presence else "implicit"


def kind(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    return named.name if named is not None else TYPES[field.type]


def test_api_fields() -> None:
    """Every field of the API has the vendor's number, type and presence, and there is no other."""
    ours = {
        (message.name, str(field.number), field.name, kind(field), presence(field))
        for message in api_pb2.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
    }
    assert ours == {tuple(line.split()) for line in API.strip().splitlines()}
    for message in api_pb2.DESCRIPTOR.message_types_by_name.values():
        optional = {f"_{field.name}" for field in message.fields}  # how presence is built
        assert set(message.oneofs_by_name) <= optional


def test_api_names() -> None:
    """Package, methods and enums are those that the wire and the vendor's clients know."""
    file = api_pb2.DESCRIPTOR
    assert file.package == "behavioral_api.grpc.v1"
    service = file.services_by_name["BehavioralStreamingApi"]
    signatures = {
        m.name: (m.input_type.name, m.output_type.name, m.client_streaming, m.server_streaming)
        for m in service.methods
    }
    both_ways = ("AudioStream", "StreamResult", True, True)
    assert signatures == {"StreamAudio": both_ways, "DeepfakeDetection": both_ways}
    enums = {
        enum.name: {value.name: value.number for value in enum.values}
        for enum in file.enum_types_by_name.values()
    }
    assert enums == {"AudioEncoding": {"LINEAR_PCM": 0}, "Level": {"segment": 0, "utterance": 1}}


def test_records_names() -> None:
    """Our own messages live in a package of their own, and each enum's zero says nothing."""
    file = records_pb2.DESCRIPTOR
    assert file.package == "detection_consumer.v1"
    for enum in file.enum_types_by_name.values():
        assert enum.values_by_number[0].name.endswith("_UNSPECIFIED")


@pytest.mark.parametrize("name", ["api", "records"])
def test_generated_code_is_current(name: str, tmp_path: Path) -> None:
    """Generating anew changes nothing."""
    proto = ROOT / "proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(proto)]
    command += [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", str(proto / f"{name}.proto")]
    run(command, check=True, timeout=60)
    for suffix in ("py", "pyi"):
        generated = tmp_path / f"{name}_pb2.{suffix}"
        committed = ROOT / "consumer" / "pb" / generated.name
        assert committed.read_text("utf-8") == generated.read_text("utf-8")
