"""What was generated is current, and nothing is left out of it. `make chart` writes it anew."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import yaml

from consumer.adapters.kafka.topics import _COMPACTED
from tests.helm import generated


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def test_defaults_are_those_of_the_settings() -> None:
    assert generated.DEFAULTS.read_text() == generated.defaults()


def test_schema_is_current_and_a_schema() -> None:
    assert generated.SCHEMA.read_text() == generated.schema()
    jsonschema.Draft7Validator.check_schema(json.loads(generated.SCHEMA.read_text()))


def test_readme_is_current() -> None:
    assert generated.TABLE.search(generated.README.read_text()) is not None
    assert generated.SKIPS.search(generated.README.read_text()) is not None
    assert generated.README.read_text() == generated.readme()


def test_every_value_is_documented() -> None:
    """By its own row, or as a part of one."""
    rows = [name for name, _, _ in generated.documented()]
    assert len(rows) == len(set(rows))
    values = list(leaves(yaml.safe_load(generated.VALUES.read_text())))
    for leaf in values:
        assert any(leaf == row or leaf.startswith(f"{row}.") for row in rows), leaf
    for row in rows:
        assert any(leaf == row or leaf.startswith(f"{row}.") for leaf in values), row


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    schema = json.loads(generated.SCHEMA.read_text())
    values = yaml.safe_load(generated.VALUES.read_text())
    assert set(_allowed(schema, schema)) - {"global"} == set(_named(values, schema, schema))


def _resolved(part: Any, schema: Any) -> Any:
    reference = part.get("$ref")
    return schema["definitions"][reference.rsplit("/", 1)[1]] if reference else part


def _allowed(part: Any, schema: Any, path: str = "") -> Iterator[str]:
    """Paths that the schema names, down to where it lets anything through."""
    for key, below in part["properties"].items():
        inner = _resolved(below, schema)
        if key in ("config", "probes", "fallback", "quotas"):
            yield f"{path}{key}"  # may hold more than their defaults do
        elif inner.get("properties") and inner.get("additionalProperties") is False:
            yield from _allowed(inner, schema, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def _named(values: Any, part: Any, schema: Any, path: str = "") -> Iterator[str]:
    """Paths that values.yaml has, as deep as the schema goes."""
    for key, value in values.items():
        inner = _resolved(part["properties"][key], schema)
        if key in ("config", "probes", "fallback", "quotas") or not inner.get("properties"):
            yield f"{path}{key}"
        else:
            yield from _named(value, inner, schema, f"{path}{key}.")


def test_checkpoints_are_as_the_service_makes_them() -> None:
    """And safe against the loss of one broker, like the other topics."""
    topics = yaml.safe_load(generated.VALUES.read_text())["strimzi"]["topics"]
    assert topics["checkpoints"]["config"] == {**_COMPACTED, "min.insync.replicas": "2"}
    assert topics["replicas"] == 3
