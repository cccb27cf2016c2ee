"""Addresses as people write them."""

import re
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


def split(address: str) -> tuple[str, int]:
    """Host, without the brackets of IPv6, and port 0..65535. Raises ValueError."""
    found = _ADDRESS.fullmatch(address)
    if not found or int(found["port"]) > 65_535:
        raise ValueError(f"{address!r} is not HOST:PORT")
    return found["host"].strip("[]"), int(found["port"])


def _reachable(address: str) -> bool:
    try:
        return split(address)[1] > 0
    except ValueError:
        return False


def _remote(text: str) -> str:
    if not _reachable(text):
        raise ValueError("must be HOST:PORT, without http:// or a path")
    return text


def _remotes(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    if not all(map(_reachable, parts)):
        raise ValueError("must be HOST:PORT, or several of them with commas between")
    return ",".join(parts)


def _local(text: str) -> str:
    try:
        split(text)
    except ValueError:
        text = "must be HOST:PORT; 0.0.0.0 listens on all addresses, port 0 takes any free one"
        raise ValueError(text) from None
    return text


Remote = Annotated[str, AfterValidator(_remote)]
"""HOST:PORT to connect to."""
Remotes = Annotated[str, AfterValidator(_remotes)]
"""One or several of them, with commas between."""
Local = Annotated[str, AfterValidator(_local)]
"""HOST:PORT to listen on."""
