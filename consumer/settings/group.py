"""The mould of every group of settings: frozen, strict about names, silent about inputs.

A group is valid once built, so the policies that are made of it can't fail later. What pydantic
says about a wrong input never repeats the input itself, because it may be a secret.
"""

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Group(BaseModel):
    """Settings that share a prefix, such as CONSUMER_KAFKA__."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )


def wrong(field: str, text: str) -> PydanticCustomError:
    """An error of one field that only a look at several fields can find.

    To be raised by a validator of a whole group, or of all settings with field as `group.name`;
    the report names the field's variable.
    """
    return PydanticCustomError("setting", "{text}", {"field": field, "text": text})
