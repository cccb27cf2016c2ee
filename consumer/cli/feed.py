"""The command `feed`: audio files to the input topic, as a call platform would send them."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.app.connect import kafka_options, sink_options
from consumer.cli.options import Config, EnvFile, hush_libraries, load
from consumer.codec.fields import ContentType
from consumer.demo.call import Call, play
from consumer.demo.guise import Guise, chunk_bytes
from consumer.demo.wav import Sound, read_wav
from consumer.errors import ConfigurationError, KafkaRefused
from consumer.model import AudioFormat, Encoding, Hertz, SessionKey
from consumer.settings.kafka import KafkaSettings
from consumer.settings.settings import TopicSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How files are turned into calls; channels 0 keeps those of the file."""

    encoding: Encoding
    chunk_ms: float
    content: ContentType
    as_file: bool
    channels: int
    channel: int
    sessions: int
    prefix: str
    ended: bool


_Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="WAV files, 16-bit PCM.")]
_Encoding = Annotated[Encoding, typer.Option(help="Write the samples this way.")]
_ChunkMs = Annotated[
    float,
    typer.Option(metavar="MS", min=1, max=60_000, help="Milliseconds of audio in a chunk."),
]
_Content = Annotated[
    ContentType, typer.Option("--format", help="Write the records' values this way.")
]
_AsFile = Annotated[
    bool,
    typer.Option(
        "--wav-header", help="Send the file's bytes as they are, cut anywhere, header first."
    ),
]
_Channels = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        max=64,
        help="Put a mono file among silent channels; 0 for as it is.",
    ),
]
_Channel = Annotated[
    int, typer.Option(metavar="N", min=0, max=63, help="The channel to be judged, from 0.")
]
_Sessions = Annotated[
    int,
    typer.Option(metavar="N", min=1, max=10_000, help="Play each file as so many calls at once."),
]
_Prefix = Annotated[
    str,
    typer.Option(
        "--key-prefix", metavar="TEXT", help="Keys are this, the file's name and a number."
    ),
]
_Speed = Annotated[
    float,
    typer.Option(metavar="X", min=0, help="1 for real time, 2 for twice as fast, 0 for no pauses."),
]
_Ended = Annotated[
    bool, typer.Option("--end/--no-end", help="Send an end mark after the last chunk.")
]
_Create = Annotated[
    int,
    typer.Option(min=0, metavar="PARTITIONS", help="Make the topic if there is none."),
]


def feed(
    files: _Files,
    *,
    encoding: _Encoding = Encoding.PCM_S16LE,
    chunk_ms: _ChunkMs = 250,
    content: _Content = ContentType.RAW,
    as_file: _AsFile = False,
    channels: _Channels = 0,
    channel: _Channel = 0,
    sessions: _Sessions = 1,
    prefix: _Prefix = "feed-",
    speed: _Speed = 1.0,
    ended: _Ended = True,
    create: _Create = 0,
    env_file: EnvFile = None,
    config_file: Config = None,
) -> None:
    """Send audio files to the input topic as chunks, at the pace of a live call.

    Every file is a call of its own, with a key, sequence numbers, capture times and an end mark.
    The topic and the brokers are those of the settings; no API settings are needed.
    Other sound files must be converted first: `ffmpeg -i call.mp3 -c:a pcm_s16le call.wav`

    **Examples**

    One call in real time, in chunks of 250 ms:

        detection-consumer feed call.wav

    Fifty telephone calls of 20 ms mu-law frames:

        detection-consumer feed call.wav --encoding pcm_mulaw --chunk-ms 20 --sessions 50

    A backlog as fast as the brokers take it, as protobuf:

        detection-consumer feed *.wav --speed 0 --format protobuf
    """
    hush_libraries()
    kafka = load(TopicSettings, env_file, config_file).kafka
    manner = Manner(
        encoding=encoding,
        chunk_ms=chunk_ms,
        content=content,
        as_file=as_file,
        channels=channels,
        channel=channel,
        sessions=sessions,
        prefix=prefix,
        ended=ended,
    )
    calls = [call for file in files for call in _calls(file, manner)]
    twice = [key for key, times in Counter(call.key for call in calls).items() if times > 1]
    if twice:
        raise ConfigurationError(f"several files would have the key {twice[0]}; rename one")
    asyncio.run(_send(calls, kafka, speed, create))


def _calls(file: Path, manner: Manner) -> Iterator[Call]:
    sound = read_wav(file)
    guise = _guise(file, sound, manner)
    if manner.as_file:
        data = file.read_bytes()
    elif sound.channels == 1:
        data = guise.dress(sound.samples)
    else:
        data = guise.write(sound.samples)
    for number in range(manner.sessions):
        name = f"{file.stem}-{number}" if manner.sessions > 1 else file.stem
        key = SessionKey(manner.prefix + name)
        yield Call(key=key, guise=guise, data=data, ended=manner.ended)


def _guise(file: Path, sound: Sound, manner: Manner) -> Guise:
    form = _format(file, sound, manner)
    if manner.as_file and manner.encoding is not Encoding.PCM_S16LE:
        raise ConfigurationError("--wav-header sends the file as it is, so --encoding can't be met")
    return Guise(
        name=file.name,
        format=form,
        chunk_bytes=chunk_bytes(form, manner.chunk_ms),
        content=manner.content,
        file=manner.as_file,
    )


def _format(file: Path, sound: Sound, manner: Manner) -> AudioFormat:
    channels = manner.channels or sound.channels
    if channels != sound.channels and (sound.channels > 1 or manner.as_file):
        text = f"{file} has {sound.channels} channels, which can't be made {channels}"
        raise ConfigurationError(text)
    try:
        return AudioFormat(manner.encoding, Hertz(sound.sample_rate), channels, manner.channel)
    except ValueError as error:
        raise ConfigurationError(f"{file}: {error}") from error


async def _send(calls: Sequence[Call], kafka: KafkaSettings, speed: float, create: int) -> None:
    options = kafka_options(kafka)
    await _topic(options, kafka.input_topic, create)
    sink = KafkaSink(options, sink_options(kafka))
    await sink.start()
    try:
        with _progress() as progress:
            task = progress.add_task("seconds", total=round(sum(call.seconds for call in calls)))

            def heard(_: SessionKey, seconds: float) -> None:
                progress.advance(task, seconds)

            async with asyncio.TaskGroup() as group:
                for call in calls:
                    playing = play(call, kafka.input_topic, sink, speed, heard)
                    group.create_task(playing, name=f"call {call.key}")
    finally:
        await sink.stop()
    seconds = sum(call.seconds for call in calls)
    number = "1 call" if len(calls) == 1 else f"{len(calls)} calls"
    typer.echo(f"sent {number}, {seconds:.1f} s of audio, to {kafka.input_topic}")


async def _topic(options: KafkaOptions, name: str, partitions: int) -> None:
    if partitions:
        await make_topic(options, name, partitions)
        return
    async with KafkaTopics(options) as topics:
        if (await topics.look([name]))[name] is None:
            text = f"there is no topic {name}; make it, or let --create 12 make it"
            raise KafkaRefused(text)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("s of audio"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)
