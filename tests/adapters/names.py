"""Header names that no Python program would write, as those in other languages may."""

from typing import Self


class StrangeName(str):  # noqa: SLOT000 - mypy does not see slots that __new__ fills
    """Reads as its bytes with escapes, and is written as the bytes."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Self:
        """raw: the bytes."""
        name = super().__new__(cls, raw.decode("utf-8", "backslashreplace"))
        name.raw = raw
        return name

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes, whatever is asked for. Only the client library's slow builder asks."""
        return self.raw
