"""Log lines: structured, on stderr, without secrets.

Lines of foreign libraries (aiokafka and grpc speak by the standard library's logging) take the
same road, so there is one format and one place where secrets are masked: the finished line, since
only there nothing can slip past, be it in a field, a traceback or another library's text.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK: Final = "***"
_SHORTEST: Final = 5
_LOUDEST_FOREIGN: Final = logging.INFO
"""Foreign debug lines hold keys and audio; they stay out at any level of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """level: the least important lines shown. style: JSON for machines, console for people.

    secrets: texts to mask wherever they occur in a line. One that is shorter than any real secret
    would tear ordinary words apart, and is left.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    style: Literal["json", "console"] = "json"
    secrets: tuple[str, ...] = field(default=(), repr=False)


class StructLog:
    """A `ports.Log` by structlog."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def bind(self, **fields: object) -> "StructLog":
        """A log whose lines all carry these fields."""
        return StructLog(self._logger.bind(**fields))

    def info(self, event: str, **fields: object) -> None:
        """Something a person may want to know."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something a person should know."""
        self._logger.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Something a person must act on."""
        self._logger.error(event, **fields)


class Logs:
    """The process's log lines. `stop` gives foreign libraries back their own."""

    def __init__(self, options: LogOptions, stream: TextIO | None = None) -> None:
        """stream: where lines go, stderr when None."""
        out = stream or sys.stderr
        first: list[Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
        last = [*_renderers(options, colours=out.isatty()), _masker(options.secrets)]
        level = logging.getLevelNamesMapping()[options.level.upper()]
        self.log = StructLog(
            structlog.wrap_logger(
                structlog.PrintLogger(out),
                processors=[*first, *last],
                wrapper_class=structlog.make_filtering_bound_logger(level),
            )
        )
        self._handler = logging.StreamHandler(out)
        self._handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            )
        )
        self._root = logging.getLogger()
        self._root_level = self._root.level
        self._root.addHandler(self._handler)
        self._root.setLevel(max(level, _LOUDEST_FOREIGN))

    def stop(self) -> None:
        """Take foreign libraries' lines no longer."""
        self._root.removeHandler(self._handler)
        self._root.setLevel(self._root_level)


def _renderers(options: LogOptions, *, colours: bool) -> Sequence[Processor]:
    if options.style == "console":
        return [structlog.dev.ConsoleRenderer(colors=colours)]
    return [
        structlog.processors.EventRenamer("message"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]


def _masker(secrets: Iterable[str]) -> Callable[[WrappedLogger, str, EventDict], Any]:
    """The last processor: it is handed the finished line instead of fields."""
    plain = {
        form
        for secret in secrets
        if len(secret) >= _SHORTEST
        for form in (secret, repr(secret)[1:-1])
    }
    written = plain | {json.dumps(form)[1:-1] for form in plain}
    longest_first = sorted(written, key=len, reverse=True)

    def mask(_: WrappedLogger, __: str, line: Any) -> Any:
        for form in longest_first:
            line = line.replace(form, MASK)
        return line

    return mask
