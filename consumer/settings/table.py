"""Settings as rows for people: what is in force, and what there is."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from consumer.settings.field import settings_of, written
from consumer.settings.inputs import CONFIG, ENV_FILE, Inputs
from consumer.settings.settings import Settings

HIDDEN = "********"


@dataclass(frozen=True, slots=True)
class EffectiveRow:
    """A setting in force. value: as it would be written, or stars; origin: who said so."""

    variable: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A setting as such. kind: type and unit, or the allowed values; default: may be empty."""

    variable: str
    kind: str
    default: str
    description: str


def effective(settings: Settings, inputs: Inputs) -> Iterator[EffectiveRow]:
    """All settings in force, with secrets hidden."""
    for field in settings_of(Settings):
        value: object = settings
        for name in field.path:
            value = getattr(value, name)
        text = HIDDEN if isinstance(value, SecretStr) else written(value)
        yield EffectiveRow(field.variable, text, inputs.origin(field.path))


def reference() -> Iterator[ReferenceRow]:
    """All settings there are, the two that name files first."""
    for name, what in ((ENV_FILE, "an env file"), (CONFIG, "a TOML file")):
        text = f"Path of {what} with settings. What the environment says wins over it."
        yield ReferenceRow(name, "file", "", text)
    for field in settings_of(Settings):
        default = "required" if field.required else field.default
        yield ReferenceRow(field.variable, field.kind, default, field.description)


def reference_markdown() -> str:
    """The reference as a Markdown table, which the README holds."""
    lines = ["| variable | type or unit | default | what and why |", "| --- | --- | --- | --- |"]
    for row in reference():
        default = row.default if row.default in ("", "required") else f"`{row.default}`"
        cells = (f"`{row.variable}`", row.kind, default, row.description)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
