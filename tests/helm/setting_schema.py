"""A setting as JSON Schema, draft 7: what may stand under `config` in the chart's values."""

from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import ByteSize, SecretStr

from consumer.settings.field import SettingField

_EXACT = (1 << 53) - 1
"""Above it Helm, which reads numbers as floats, would change their last digits."""
_ADDRESS = r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
_PATTERNS = {
    "_topic": "^[A-Za-z0-9._-]{1,249}$",
    "target": f"^{_ADDRESS}$",
    "listen": f"^{_ADDRESS}$",
    "bootstrap_servers": f"^ *{_ADDRESS} *(, *{_ADDRESS} *)*$",
}
"""By the end of a setting's name, what its validator asks for."""


def setting_schema(field: SettingField) -> dict[str, Any]:
    """What values the setting takes, in types of YAML."""
    if get_origin(field.type) is Literal:
        return {"enum": list(get_args(field.type))}
    kind = field.type
    if issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if kind is bool:
        return {"type": "boolean"}
    if kind is ByteSize:
        return {
            "type": ["integer", "string"],
            "pattern": "^[0-9]+ *([KMG]i?)?B?$",
            **_limits(field),
        }
    if kind is int:
        limits = {"maximum": _EXACT} | _limits(field)
        if limits["maximum"] > _EXACT:
            limits["maximum"] = _EXACT
            return {"type": ["integer", "string"], "pattern": "^[1-9][0-9]{0,18}$", **limits}
        return {"type": "integer", **limits}
    if kind is float:
        return {"type": "number", **_limits(field)}
    assert issubclass(kind, str | Path | SecretStr)
    return {"type": "string", "minLength": 1, **_pattern(field)}


def _limits(field: SettingField) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for each in field.info.metadata:
        match each:
            case Ge(ge=limit):
                limits["minimum"] = limit
            case Gt(gt=limit):
                limits["exclusiveMinimum"] = limit
            case Le(le=limit):
                limits["maximum"] = limit
            case Lt(lt=limit) if field.type is int and isinstance(limit, int):
                limits["maximum"] = limit - 1
            case Lt(lt=limit):
                limits["exclusiveMaximum"] = limit
            case MinLen():
                pass
    return limits


def _pattern(field: SettingField) -> dict[str, Any]:
    own = [each.pattern for each in field.info.metadata if getattr(each, "pattern", None)]
    found = own + [pattern for end, pattern in _PATTERNS.items() if field.path[-1].endswith(end)]
    return {"pattern": found[0]} if found else {}
