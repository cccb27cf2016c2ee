"""What a person sees of the settings."""

import pytest

from consumer.settings.field import settings_of, written
from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings
from consumer.settings.table import HIDDEN, effective, reference, reference_markdown
from tests.settings.conftest import Build

FIELDS = list(settings_of(Settings))
FIXED_NAMES = [
    "CONSUMER_KAFKA__BOOTSTRAP_SERVERS",
    "CONSUMER_KAFKA__INPUT_TOPIC",
    "CONSUMER_KAFKA__GROUP_ID",
    "CONSUMER_API__TARGET",
    "CONSUMER_API__TLS",
    "CONSUMER_API__CID",
    "CONSUMER_API__TOKEN",
    "CONSUMER_API__TOKEN_FILE",
    "CONSUMER_API__LEVEL",
    "CONSUMER_DELIVERY",
    "CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS",
]


def test_reference_lists_every_field() -> None:
    """No setting is undocumented, and the two file names come first."""
    names = [row.variable for row in reference()]
    assert names[:2] == ["CONSUMER_ENV_FILE", "CONSUMER_CONFIG"]
    assert names[2:] == [field.variable for field in FIELDS]
    assert set(FIXED_NAMES) <= set(names)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.variable)
def test_every_field_is_explained(field: object) -> None:
    """Each has a description that ends as a sentence, and a type in words."""
    (found,) = [each for each in FIELDS if each is field]
    assert found.description.endswith(".")
    assert found.kind


def test_reference_shows_units_and_defaults() -> None:
    """Units, sizes, choices and requirements read as a person would write them."""
    rows = {row.variable: row for row in reference()}
    assert rows["CONSUMER_SESSION__HELD_BYTES"].kind == "bytes"
    assert rows["CONSUMER_SESSION__HELD_BYTES"].default == "2MiB"
    assert rows["CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS"].kind == "seconds"
    assert rows["CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS"].default == "60"
    assert rows["CONSUMER_AUDIO__SAMPLE_RATE_HERTZ"].kind == "Hz"
    assert rows["CONSUMER_API__LEVEL"].kind == "segment or utterance or all"
    assert rows["CONSUMER_API__TARGET"].default == "required"
    assert rows["CONSUMER_API__TOKEN"].kind == "secret"
    assert rows["CONSUMER_API__TLS"].default == "true"


def test_written_defaults_can_be_read_again(build: Build) -> None:
    """What the reference prints as default means the same when it is set."""
    plain = build()
    variables = {
        field.variable: field.default for field in FIELDS if not field.required and field.default
    }
    assert build(**variables) == plain


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "true"), (False, "false"), (0.25, "0.25"), (7, "7")]
)
def test_values_are_written_plainly(value: object, text: str) -> None:
    """Values read as in an environment file."""
    assert written(value) == text


def test_markdown_is_one_table() -> None:
    """The README's table has one row per setting and no broken cell."""
    lines = reference_markdown().splitlines()
    assert len(lines) == len(FIELDS) + 4
    assert all(line.replace("\\|", "").count("|") == 5 for line in lines)


def test_effective_values_hide_secrets(build: Build) -> None:
    """Everything in force is shown with its origin, but never a secret."""
    settings = build(CONSUMER_API__TOKEN="s3cret", CONSUMER_FLOW__PROCESS_HIGH_BYTES="1GiB")
    rows = {row.variable: row for row in effective(settings, read_inputs())}
    assert rows["CONSUMER_API__TOKEN"].value == HIDDEN
    assert rows["CONSUMER_API__TOKEN"].origin == "environment"
    assert rows["CONSUMER_FLOW__PROCESS_HIGH_BYTES"].value == "1GiB"
    assert rows["CONSUMER_KAFKA__SASL_PASSWORD"].value == ""
    assert rows["CONSUMER_DELIVERY"].value == "at_least_once"
    assert len(rows) == len(FIELDS)
