"""What a person sees while the demo runs: a live table on a terminal, plain lines elsewhere."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from consumer.codec.shapes import EndedShape, ResultShape, SessionShape, StartedShape
from consumer.demo.cast import Part
from consumer.demo.ledger import Entry, Ledger, News
from consumer.model import SessionKey

_LINES = 8


class Show(Protocol):
    """Told of everything worth seeing; `with` it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def say(self, text: str) -> None:
        """A step of the set-up or the end."""
        ...

    def tell(self, news: Sequence[News], ledger: Ledger) -> None:
        """What has just been read, maybe nothing; the ledger knows it already."""
        ...


class PlainShow:
    """A line for everything that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def tell(self, news: Sequence[News], ledger: Ledger) -> None:  # noqa: ARG002 - lines need none
        """A line each."""
        for key, what in news:
            self.say(f"{key:16} {line(what)}")


class LiveShow:
    """A table of all calls with the latest findings under it."""

    def __init__(self, console: Console, parts: Sequence[Part]) -> None:
        self._console = console
        self._parts = parts
        self._latest: deque[str] = deque(maxlen=_LINES)
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live.is_started:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line above the table."""
        self._console.print(text, highlight=False)

    def tell(self, news: Sequence[News], ledger: Ledger) -> None:
        """Draw anew."""
        if not self._live.is_started:
            self._live.start()
        self._latest.extend(f"{key:16} {line(what)}" for key, what in news)
        table = _table(self._parts, ledger.entries)
        self._live.update(Group(table, Text("\n".join(self._latest))), refresh=True)


def line(what: ResultShape | SessionShape) -> str:
    """A finding or an event in one line."""
    if isinstance(what, ResultShape):
        best = max((p.posterior or 0.0 for p in what.predictions), default=0.0)
        span = f"{what.start:6.2f} - {what.end:6.2f} s"
        delay = f"after {what.latency_ms / 1000:.1f} s"
        return f"{span}  {what.level.value:9}  {what.final_label} {best:.3f}  {delay}"
    if isinstance(what, StartedShape):
        return f"started at {what.sample_rate} Hz"
    return f"ended, {what.reason.value}, after {what.summary.audio_ms / 1000:.2f} s"


def _table(parts: Sequence[Part], entries: Mapping[SessionKey, Entry]) -> Table:
    table = Table("call", "guise", "sent", "results", "state", expand=True)
    for part in parts:
        entry = entries[part.call.key]
        total = round(part.call.seconds, 2)
        bar = ProgressBar(total=total, completed=round(entry.sent_seconds, 2), width=20)
        labels = ", ".join(f"{count} {label}" for label, count in entry.labels.items())
        table.add_row(part.call.key, part.call.guise.name, bar, labels, _state(entry))
    return table


def _state(entry: Entry) -> Text:
    if isinstance(entry.ended, EndedShape):
        return Text("ended", style="green")
    return Text("live", style="yellow") if entry.started else Text("waiting", style="dim")
