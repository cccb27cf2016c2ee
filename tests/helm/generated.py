"""The parts of the chart that are made of the settings and of values.yaml: `make chart`.

files/settings.json has all settings with their defaults, which templates ask for. In
values.schema.json the names and values under `config` are checked. The README has a table of all
values, made of the comments in values.yaml, and the checks that scanners skip.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consumer.settings.field import settings_of
from consumer.settings.inputs import CONFIG, ENV_FILE
from consumer.settings.settings import Settings
from tests.helm.setting_schema import setting_schema
from tests.helm.skips import CHECKOV_SKIPS, TRIVY_SKIPS

CHART = Path(__file__).parents[2] / "helm" / "detection-consumer"
README = CHART / "README.md"
DEFAULTS = CHART / "files" / "settings.json"
SCHEMA = CHART / "values.schema.json"
VALUES = CHART / "values.yaml"
SKIPS = re.compile(r"(<!-- skips: begin -->\n)(.*)(<!-- skips: end -->)", re.DOTALL)
TABLE = re.compile(r"(<!-- values: begin -->\n)(.*)(<!-- values: end -->)", re.DOTALL)

_KEY = re.compile(r"(?P<indent> *)(?P<name>[A-Za-z.]+):(?P<rest>.*)")
_COMMENT = re.compile(r" *# -- (?P<text>.+)")


def defaults() -> str:
    """All settings and their defaults as texts; empty where there is none."""
    found = {field.variable: field.default for field in settings_of(Settings)}
    return json.dumps(found, indent=1) + "\n"


def schema() -> str:
    """The schema of the values, with the settings as they are now.

    The two names that name files are let through to a check with a better text.
    """
    whole = json.loads(SCHEMA.read_text())
    properties: dict[str, Any] = {ENV_FILE: {}, CONFIG: {}}
    properties |= {field.variable: setting_schema(field) for field in settings_of(Settings)}
    whole["properties"]["config"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    return json.dumps(whole, indent=1) + "\n"


def documented() -> Iterator[tuple[str, str, str]]:
    """Path, default as it is written and description of every value that has a comment."""
    path: list[tuple[int, str]] = []
    told: str | None = None
    block: tuple[int, str, str, list[str]] | None = None
    for line in VALUES.read_text().splitlines():
        comment, key = _COMMENT.fullmatch(line), _KEY.fullmatch(line)
        if block is not None:
            indent, name, text, lines = block
            if line.startswith(" " * (indent + 1)) and not comment:
                lines.append(line[indent + 2 :])
                continue
            yield name, " ".join(part.strip() for part in lines), text
            block = None
        if comment:
            told = comment["text"]
        elif key:
            indent = len(key["indent"])
            path = [*((at, name) for at, name in path if at < indent), (indent, key["name"])]
            name = ".".join(part for _, part in path)
            if told is not None and key["rest"].strip():
                yield name, key["rest"].strip(), told
            elif told is not None:
                block = (indent, name, told, [])
            told = None
    if block is not None:
        yield block[1], " ".join(block[3]), block[2]


def readme() -> str:
    """The chart's README with the table and the skipped checks as they are now."""
    lines = ["| value | default | what and why |", "| --- | --- | --- |"]
    for name, default, text in documented():
        shown = "see values.yaml" if len(default) > 40 else f"`{default}`"
        shown = "" if default in ('""', "[]", "{}", "null") else shown
        lines.append(f"| `{name}` | {shown} | {text.replace('|', chr(92) + '|')} |")
    skipped = [f"- `{name}`: {why}." for name, why in (CHECKOV_SKIPS | TRIVY_SKIPS).items()]
    return _filled(SKIPS, skipped, _filled(TABLE, lines, README.read_text()))


def _filled(place: re.Pattern[str], lines: list[str], text: str) -> str:
    return place.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[3], text)


if __name__ == "__main__":
    DEFAULTS.write_text(defaults())
    SCHEMA.write_text(schema())
    README.write_text(readme())
