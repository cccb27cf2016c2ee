"""The command `watch`: results as they come."""

import asyncio
from collections.abc import Collection, Iterator
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from consumer.adapters.kafka.tail import KafkaTail
from consumer.app.connect import kafka_options
from consumer.cli.options import Config, EnvFile, hush_libraries, load
from consumer.codec.readers import decode_result, decode_session
from consumer.codec.shapes import EndedShape, ResultShape, SessionShape, StartedShape
from consumer.errors import RecordError
from consumer.model import Record
from consumer.settings.kafka import KafkaSettings
from consumer.settings.settings import TopicSettings

_POLL_SECONDS = 0.5
_COLOURS = {"bonafide": "green", "spoofed": "red"}


def watch(
    *,
    sessions: Annotated[
        bool, typer.Option("--sessions", help="Show starts and ends of sessions as well.")
    ] = False,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Show what is on the topics already, first.")
    ] = False,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="Only this session; may be given again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, as on the topic.")
    ] = False,
    count: Annotated[
        int, typer.Option(metavar="N", min=0, help="Stop after so many; 0 for never.")
    ] = 0,
    env_file: EnvFile = None,
    config_file: Config = None,
) -> None:
    """Follow the results topic live, until Ctrl-C.

    Belongs to no consumer group and disturbs nobody. A line tells the session, the span in the
    call, the level, the task, the label with its probability, and how long after its audio the
    result was written. The topics and the brokers are those of the settings.

    **Examples**

        detection-consumer watch --sessions

    One call from its beginning, for another program:

        detection-consumer watch --key call-17 --from-beginning --json
    """
    hush_libraries()
    kafka = load(TopicSettings, env_file, config_file).kafka
    lines = _Lines(set(keys or ()), as_json=as_json)
    try:
        asyncio.run(_follow(kafka, lines, count, sessions=sessions, from_beginning=from_beginning))
    except KeyboardInterrupt:
        raise typer.Exit from None


class _Lines:
    """Records to lines on standard output."""

    def __init__(self, keys: Collection[str], *, as_json: bool) -> None:
        self._keys = keys
        self._as_json = as_json
        self._console = Console(soft_wrap=True, highlight=False)

    def print(self, record: Record, results_topic: str) -> bool:
        """Print a record if it is wanted; whether it was."""
        key = (record.key or b"").decode(errors="replace")
        if self._keys and key not in self._keys:
            return False
        read = decode_result if record.partition.topic == results_topic else decode_session
        try:
            shape = read(record.value, record.headers)
        except RecordError as error:
            place = f"{record.partition.topic}:{record.partition.number}:{record.offset}"
            typer.echo(f"{place} can't be read: {error}", err=True)
            return False
        if self._as_json:
            typer.echo(msgspec.json.encode(shape))
        else:
            self._console.print(*_words(shape), sep="  ", markup=True)
        return True


def _words(shape: ResultShape | SessionShape) -> Iterator[str]:
    yield f"{shape.session:24}".replace("[", r"\[")
    if isinstance(shape, ResultShape):
        best = max((p.posterior or 0.0 for p in shape.predictions), default=0.0)
        colour = _COLOURS.get(shape.final_label, "yellow")
        yield f"{shape.start:8.2f} - {shape.end:8.2f} s"
        yield f"{shape.level.value:9}"
        yield shape.task.replace("[", r"\[")
        yield f"[{colour}]{shape.final_label} {best:.4f}[/]"
        yield f"after {shape.latency_ms / 1000:.2f} s"
    elif isinstance(shape, StartedShape):
        again = ", resumed" if shape.resumed else ""
        yield f"[bold]started[/] at {shape.sample_rate} Hz, level {shape.level.value}{again}"
    elif isinstance(shape, EndedShape):
        summary = shape.summary
        labels = ", ".join(f"{count} {label}" for label, count in summary.labels.items())
        yield f"[bold]ended[/] ({shape.reason.value}) after {summary.audio_ms / 1000:.2f} s"
        yield f"{summary.judged_ms / 1000:.2f} s judged"
        yield labels or "no results"


async def _follow(
    kafka: KafkaSettings, lines: _Lines, count: int, *, sessions: bool, from_beginning: bool
) -> None:
    topics = (kafka.results_topic, *((kafka.sessions_topic,) if sessions else ()))
    printed = 0
    async with KafkaTail(kafka_options(kafka), topics, from_beginning=from_beginning) as tail:
        while True:
            for record in await tail.poll(_POLL_SECONDS):
                printed += lines.print(record, kafka.results_topic)
                if count and printed >= count:
                    return
