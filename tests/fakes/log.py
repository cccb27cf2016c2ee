"""Log lines in memory."""

from typing import NamedTuple


class Line(NamedTuple):
    """One log line."""

    level: str
    event: str
    fields: dict[str, object]


class FakeLog:
    """A `ports.Log`. lines: all that was logged, bound logs included."""

    def __init__(self, lines: list[Line] | None = None, **fields: object) -> None:
        self.lines: list[Line] = [] if lines is None else lines
        self._fields = fields

    def bind(self, **fields: object) -> "FakeLog":
        """A log whose lines all carry these fields."""
        return FakeLog(self.lines, **{**self._fields, **fields})

    def info(self, event: str, **fields: object) -> None:
        """Something a person may want to know."""
        self._add("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something a person should know."""
        self._add("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something a person must act on."""
        self._add("error", event, fields)

    def events(self, level: str | None = None) -> list[str]:
        """The events so far, of one level or all."""
        return [line.event for line in self.lines if level in (None, line.level)]

    def _add(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.lines.append(Line(level, event, {**self._fields, **fields}))
