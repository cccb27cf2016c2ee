"""What to tell a person whose settings are wrong: the variable, what is wrong, what is allowed.

No value is ever quoted: a token may have been put into the wrong variable.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from consumer.settings.field import SettingField, settings_of, variable

_WORDS = {
    "bool_parsing": "must be true or false",
    "byte_size": "must be a size, such as 1048576 or 8MiB",
    "float_parsing": "must be a number",
    "int_parsing": "must be a whole number",
    "path_not_file": "there is no such file",
}
"""Better words for some of pydantic's errors."""


def complaints(
    model: type[BaseModel], error: ValidationError, origin: Callable[[tuple[str, ...]], str]
) -> Iterator[str]:
    """One line per error, each beginning with the variable to change.

    origin: tells where a setting comes from, so that a person knows which file to open.
    """
    fields = {field.path: field for field in settings_of(model)}
    for each in error.errors(include_url=False, include_input=False):
        if each["type"] == "extra_forbidden":
            continue  # unknown names are told by `unknown`, with a suggestion
        path = _path(each)
        source = origin(path)
        where = "" if source in ("environment", "default") else f" in {source}"
        yield f"{variable(path)}{where}: {_text(each, fields.get(path))}"


def unknown(names: Iterable[str], known: Collection[str], where: str) -> Iterator[str]:
    """One line per name that means nothing, with the name that may have been meant."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{name}: there is no such setting{where}{hint}"


def _path(each: Mapping[str, Any]) -> tuple[str, ...]:
    path = tuple(str(part) for part in each["loc"])
    field = each.get("ctx", {}).get("field")
    return (*path, *field.split(".")) if field else path


def _text(each: Mapping[str, Any], field: SettingField | None) -> str:
    if each["type"] == "missing":
        return f"is required. {field.description if field else ''}".rstrip()
    text = str(each["msg"]).removeprefix("Value error, ").replace("Input should be", "must be", 1)
    return _WORDS.get(each["type"], text)
