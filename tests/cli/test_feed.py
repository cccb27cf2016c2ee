"""The command `feed`, to a real broker."""

import asyncio
import os
import wave
from collections.abc import Sequence
from pathlib import Path

import pytest

from consumer.adapters.kafka.tail import KafkaTail
from consumer.codec.headers import ChunkDefaults
from consumer.codec.records import decode_chunk
from consumer.codec.samples import Transcoder
from consumer.demo.cast import CLIPS
from consumer.demo.wav import read_wav
from consumer.model import AudioChunk, ChunkEvent, Encoding, Record
from tests.adapters.broker import Broker
from tests.cli.conftest import Call

CLIP = CLIPS / "reading_young_man.wav"


async def read(broker: Broker, count: int) -> Sequence[AudioChunk]:
    """The input topic from its beginning, understood."""
    records: list[Record] = []
    topics = [os.environ["CONSUMER_KAFKA__INPUT_TOPIC"]]
    async with KafkaTail(broker.options, topics, from_beginning=True) as tail, asyncio.timeout(20):
        while len(records) < count:
            records += await tail.poll(0.2)
    defaults = ChunkDefaults()
    return [decode_chunk(record, defaults) for record in records]


def sound(chunks: Sequence[AudioChunk]) -> bytes:
    return b"".join(Transcoder(c.format).decode(c.payload) for c in chunks)


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    path = tmp_path / "pair.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\1\0\2\0" * 4_000)
    return path


@pytest.mark.broker
@pytest.mark.parametrize("content", ["raw", "json", "protobuf"])
def test_file_arrives_whole(call: Call, kafka: Broker, content: str) -> None:
    """A file is cut, numbered, sent in any envelope and ended."""
    options = ("--create", "2", "--speed", "0", "--format", content)
    done = call("feed", str(CLIP), *options)
    assert done.code == 0, done.err
    assert "sent 1 call, 3.0 s of audio" in done.out
    *spoken, end = asyncio.run(read(kafka, 13))
    assert [chunk.sequence for chunk in spoken] == list(range(12))
    assert {chunk.key for chunk in spoken} == {"feed-reading_young_man"}
    assert sound(spoken) == read_wav(CLIP).samples
    assert end.event is ChunkEvent.END


@pytest.mark.broker
def test_many_calls_in_another_encoding(call: Call, kafka: Broker) -> None:
    """Sessions get numbers, the encoding is the wanted one, and the end may be left out."""
    options = ("--encoding", "pcm_alaw", "--chunk-ms", "500", "--sessions", "3", "--no-end")
    rest = ("--key-prefix", "t-", "--speed", "0", "--create", "1")
    assert call("feed", str(CLIP), *options, *rest).code == 0
    chunks = asyncio.run(read(kafka, 18))
    assert {chunk.key for chunk in chunks} == {f"t-reading_young_man-{n}" for n in range(3)}
    assert {chunk.format.encoding for chunk in chunks} == {Encoding.PCM_ALAW}
    assert {chunk.event for chunk in chunks} == {ChunkEvent.AUDIO}
    assert len(chunks) == 18


@pytest.mark.broker
def test_file_goes_as_it_is(call: Call, kafka: Broker) -> None:
    """With --wav-header the file's own bytes are sent, and nothing says what they are."""
    assert call("feed", str(CLIP), "--wav-header", "--speed", "0", "--create", "1").code == 0
    *spoken, _ = asyncio.run(read(kafka, 13))
    assert b"".join(chunk.payload for chunk in spoken) == CLIP.read_bytes()


@pytest.mark.broker
def test_channels_stay_interleaved(call: Call, kafka: Broker, stereo: Path) -> None:
    """A stereo file goes as it is, with the channel that is to be judged."""
    assert call("feed", str(stereo), "--channel", "1", "--speed", "0", "--create", "1").code == 0
    *spoken, _ = asyncio.run(read(kafka, 3))
    assert {(c.format.channels, c.format.channel) for c in spoken} == {(2, 1)}
    assert sound(spoken) == b"\2\0" * 4_000


@pytest.mark.broker
def test_mono_is_put_among_silent_channels(call: Call, kafka: Broker) -> None:
    """A mono file can be one channel of several."""
    options = ("--channels", "3", "--channel", "2", "--speed", "0", "--create", "1")
    assert call("feed", str(CLIP), *options).code == 0
    *spoken, _ = asyncio.run(read(kafka, 13))
    assert {(c.format.channels, c.format.channel) for c in spoken} == {(3, 2)}
    assert sound(spoken) == read_wav(CLIP).samples


@pytest.mark.broker
@pytest.mark.usefixtures("kafka")
def test_missing_topic_is_told(call: Call) -> None:
    """A topic is not made without being asked."""
    done = call("feed", str(CLIP))
    assert done.code == 1
    assert "there is no topic calls-" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.wav"], "can't read nothing.wav: No such file"),
        ([str(CLIPS / "NOTICE")], "is no WAV file of 16-bit PCM"),
        ([str(CLIP), str(CLIP)], "several files would have the key feed-reading_young_man"),
        ([str(CLIP), "--channel", "1"], "channel 1 is not within 0..0"),
        ([str(CLIP), "--wav-header", "--channels", "2"], "can't be made 2"),
        ([str(CLIP), "--wav-header", "--encoding", "pcm_alaw"], "--encoding can't be met"),
        ([], "Missing argument"),
        ([str(CLIP), "--encoding", "mp3"], "mp3"),
        ([str(CLIP), "--speed", "-1"], "--speed"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    call: Call, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """A wrong call ends with exit code 2 and without a connection."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = call("feed", *arguments)
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_stereo_cannot_become_more(
    call: Call, monkeypatch: pytest.MonkeyPatch, stereo: Path
) -> None:
    """Only mono files are put among other channels."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = call("feed", str(stereo), "--channels", "4")
    assert done.code == 2
    assert "has 2 channels, which can't be made 4" in done.err


def test_unreachable_brokers_are_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker is a failure, not a mistake in the call."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = call("feed", str(CLIP))
    assert done.code == 1
    assert "can't reach Kafka at 127.0.0.1:1" in done.err
