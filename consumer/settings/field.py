"""One setting, seen from outside: its variable, its type, its unit, its default and its reason.

Everything that speaks of settings to a person, such as the report of unknown names, the table of
effective values and the reference, works on these.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo

from consumer.settings.settings import DELIMITER, PREFIX

_UNITS = {"_seconds": "seconds", "_bytes": "bytes", "_hertz": "Hz"}
_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    SecretStr: "secret",
    Path: "file",
}


@dataclass(frozen=True, slots=True)
class SettingField:
    """A setting without a value. path: names from the root on; type: its bare Python type."""

    path: tuple[str, ...]
    type: Any
    info: FieldInfo

    @property
    def variable(self) -> str:
        """The environment variable."""
        return variable(self.path)

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown."""
        return self.type is SecretStr

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.info.is_required()

    @property
    def kind(self) -> str:
        """Type and unit, or the allowed values, in words."""
        if get_origin(self.type) is Literal:
            return " or ".join(map(str, get_args(self.type)))
        if isinstance(self.type, type) and issubclass(self.type, Enum):
            return " or ".join(str(member.value) for member in self.type)
        for suffix, unit in _UNITS.items():
            if self.path[-1].endswith(suffix):
                return unit
        return _WORDS[self.type]

    @property
    def default(self) -> str:
        """The default as a person would write it; empty when there is none."""
        return "" if self.required else written(self.info.default)

    @property
    def description(self) -> str:
        """What it does and why its default is what it is."""
        return self.info.description or ""


def variable(path: tuple[str | int, ...]) -> str:
    """The environment variable of a setting."""
    return PREFIX + DELIMITER.join(str(part).upper() for part in path)


def written(value: object) -> str:
    """A value as a person would write it into the environment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, ByteSize):
        return _size(int(value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def settings_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[SettingField]:
    """All settings of a model and its groups, in the order in which they are written there."""
    for name, info in model.model_fields.items():
        here = (*path, name)
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_of(kind, here)
        else:
            yield SettingField(here, _bare(kind), info)


def _bare(kind: Any) -> Any:
    """`X` of `Annotated[X, ...] | None`."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(arm for arm in get_args(kind) if arm is not type(None))
    if hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    return kind


def _size(count: int) -> str:
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count and count % (1 << power) == 0:
            return f"{count >> power}{unit}"
    return f"{count}"
