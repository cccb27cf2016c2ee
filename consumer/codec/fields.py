"""What an input record says about its audio, wherever it says it: in headers or in its body.

Headers, JSON and protobuf carry the same fields under the same rules. They meet here, so that a
rule is written once and one kind of mistake has one reason word, whatever the format.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from consumer.errors import RecordError
from consumer.model import (
    AudioFormat,
    ChunkEvent,
    Encoding,
    Hertz,
    LevelChoice,
    Milliseconds,
)

INTEGER_LIMIT = 2**63
"""Whole numbers stay below this, so that every language can hold them."""
TENANT_LIMIT = 128
"""Characters of a tenant's name."""
META_COUNT_LIMIT = 32
"""Entries of meta."""
META_NAME_LIMIT = 64
"""Characters of a meta entry's name."""
META_VALUE_LIMIT = 512
"""Characters of a meta entry's value."""
META_SIZE_LIMIT = 4096
"""Characters of all names and values of meta: they are copied to every result."""

_HEX_AND_DASH = b"0123456789abcdef-"
_NO_META: Mapping[str, str] = MappingProxyType({})

Word = TypeVar("Word", bound=StrEnum)


class ContentType(StrEnum):
    """How an input record's value is written."""

    RAW = "raw"
    """The value is audio; everything else is in headers."""
    JSON = "json"
    PROTOBUF = "protobuf"


@dataclass(frozen=True, slots=True)
class ChunkFields:
    """The fields of a chunk besides its key and audio; None where nothing is said.

    sample_rate in Hz, channel 0-based, captured_at in ms since the epoch.
    """

    event: ChunkEvent | None = None
    encoding: Encoding | None = None
    sample_rate: int | None = None
    channels: int | None = None
    channel: int | None = None
    level: LevelChoice | None = None
    sequence: int | None = None
    captured_at: Milliseconds | None = None
    tenant: str | None = None
    meta: Mapping[str, str] = field(default_factory=lambda: _NO_META)
    traceparent: str | None = None

    def under(self, stronger: "ChunkFields") -> "ChunkFields":
        """These fields with those that `stronger` has put over them.

        Raises RecordError when both together hold too much meta.
        """
        said = {
            name: value
            for name in self.__slots__
            if name != "meta" and (value := getattr(stronger, name)) is not None
        }
        return replace(self, **said, meta=checked_meta({**self.meta, **stronger.meta}))

    def format(self, default: AudioFormat) -> AudioFormat:
        """How the audio is to be read. Raises RecordError where the parts don't fit together."""
        channels = default.channels if self.channels is None else self.channels
        channel = self.channel
        if channel is None:
            channel = default.channel if default.channel < channels else 0
        try:
            return AudioFormat(
                encoding=self.encoding or default.encoding,
                sample_rate=Hertz(
                    default.sample_rate if self.sample_rate is None else self.sample_rate
                ),
                channels=channels,
                channel=channel,
            )
        except ValueError as error:
            raise RecordError("bad-format", str(error)) from error


def excerpt(text: str | bytes) -> str:
    """The beginning of a foreign text, printable and short enough for an error message."""
    return ascii(text[:40]) + ("..." if len(text) > 40 else "")


def word(kind: type[Word], name: str, text: str) -> Word:
    """The member of `kind` that the text names. Raises RecordError `unknown-<name>`."""
    try:
        return kind(text)
    except ValueError as error:
        known = ", ".join(kind)
        raise RecordError(f"unknown-{name}", f"{excerpt(text)} is none of {known}") from error


def printable(text: str) -> bool:
    """All of the text is printable ASCII."""
    return text.isascii() and text.isprintable()


def check_integer(reason: str, name: str, number: int | None) -> None:
    """Raises RecordError for a number that is neither absent nor within 0..2^63-1."""
    if number is not None and not 0 <= number < INTEGER_LIMIT:
        raise RecordError(reason, f"{name} is not within 0..2^63-1")


def checked_tenant(reason: str, tenant: str | None) -> str | None:
    """The tenant if it is usable, None for an empty name. Raises RecordError otherwise."""
    if not tenant:
        return None
    if len(tenant) > TENANT_LIMIT or not printable(tenant):
        raise RecordError(reason, f"tenant must be 1..{TENANT_LIMIT} printable ASCII characters")
    return tenant


def checked_meta(meta: Mapping[str, str]) -> Mapping[str, str]:
    """The entries that aren't empty, read-only. Raises RecordError above a limit."""
    if not meta:
        return _NO_META
    if len(meta) > META_COUNT_LIMIT:
        raise RecordError("bad-meta", f"{len(meta)} entries are more than {META_COUNT_LIMIT}")
    if sum(map(len, meta)) + sum(map(len, meta.values())) > META_SIZE_LIMIT:
        raise RecordError("bad-meta", f"names and values are longer than {META_SIZE_LIMIT}")
    for name, value in meta.items():
        if not 1 <= len(name) <= META_NAME_LIMIT or not printable(name):
            detail = f"a name must be 1..{META_NAME_LIMIT} printable ASCII characters"
            raise RecordError("bad-meta", f"{excerpt(name)}: {detail}")
        if len(value) > META_VALUE_LIMIT or not printable(value):
            detail = f"a value must be up to {META_VALUE_LIMIT} printable ASCII characters"
            raise RecordError("bad-meta", f"{excerpt(name)}: {detail}")
    return MappingProxyType({name: value for name, value in meta.items() if value})


def readable_traceparent(value: bytes) -> str | None:
    """The trace context if it is well formed, else None.

    A broken one is left out, as https://www.w3.org/TR/trace-context/ asks: no audio is worth
    losing for it.
    """
    if len(value) != 55 or value.translate(None, _HEX_AND_DASH):
        return None
    version, trace, span, flags = value[:2], value[3:35], value[36:52], value[53:]
    if value != b"-".join((version, trace, span, flags)) or value.count(b"-") != 3:
        return None
    if version == b"ff" or not trace.strip(b"0") or not span.strip(b"0"):
        return None
    return value.decode("ascii")
