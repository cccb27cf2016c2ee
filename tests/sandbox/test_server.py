"""The rules of the API, as a client meets them over TCP."""

import asyncio
import hashlib
import json

import grpc
import pytest

from consumer.pb import api_pb2
from consumer.sandbox.server import SERVICE, Sandbox
from tests.sandbox import sounds
from tests.sandbox.caller import CID, TOKEN, Caller, audio, config, connected, cut, finish, until

SPEECH = sounds.speech()
ALL = [
    ("segment", "0.00", "2.00"),
    ("segment", "2.00", "4.00"),
    ("segment", "4.00", "5.00"),
    ("utterance", "0.00", "5.00"),
]


async def test_results_of_both_levels(caller: Caller, sandbox: Sandbox) -> None:
    """Speech gives segments of two seconds with a rest, then its utterance, then OK."""
    reply = await caller.send(config(), *cut(SPEECH))
    assert (reply.status, reply.times) == ("OK", ALL)
    assert [message.message_id for message in reply.messages] == [0, 1, 2, 3]
    assert [result.id for result in reply.results] == ["2", "5", "7", "8"]
    [record] = sandbox.audit.records()
    assert {(message.cid, message.pid) for message in reply.messages} == {(CID, record.pid)}
    assert all(result.task == "deepfake" for result in reply.results)


@pytest.mark.parametrize("level", ["segment", "utterance"])
async def test_level_filters(caller: Caller, level: str) -> None:
    """With a level only its results come, with the same ids as without."""
    reply = await caller.send(config(level=level), *cut(SPEECH))
    assert reply.times == [times for times in ALL if times[0] == level]
    ids = {"segment": ["2", "5", "7"], "utterance": ["8"]}
    assert [result.id for result in reply.results] == ids[level]
    assert [message.message_id for message in reply.messages] == list(range(len(reply.messages)))


async def test_fields_that_were_not_asked_for_are_empty(caller: Caller) -> None:
    """Logit and embedding are there but empty; level is set, score isn't."""
    reply = await caller.send(config(), *cut(SPEECH))
    for result in reply.results:
        assert result.HasField("embedding")
        assert result.HasField("level")
        assert result.embedding == ""
        for prediction in result.prediction:
            assert prediction.HasField("logit")
            assert prediction.logit == ""
            assert not prediction.HasField("score")


async def test_fields_that_were_asked_for(caller: Caller) -> None:
    """Logits and embeddings come when the config wants them."""
    reply = await caller.send(config(logits=True, feature_embedding=True), *cut(SPEECH))
    for result in reply.results:
        first, second = result.prediction
        assert float(first.logit) == -float(second.logit) > 0
        assert len(json.loads(result.embedding)) == 32


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
async def test_times_are_the_same_at_any_rate(caller: Caller, rate: int) -> None:
    """Times are seconds of audio, whatever the rate."""
    reply = await caller.send(config(rate), *cut(sounds.speech(rate)))
    assert (reply.status, reply.times) == ("OK", ALL)


@pytest.mark.parametrize("size", [640, 2_222, 32_000, 10_000_000])
async def test_message_size_changes_nothing(caller: Caller, size: int) -> None:
    """Small frames, odd sizes, seconds or all at once: the results are equal in every field."""
    reference = await caller.send(config(), *cut(SPEECH))
    reply = await caller.send(config(), *cut(SPEECH, size))
    assert reply.results == reference.results


async def test_silence_counts_and_utterances_end(caller: Caller) -> None:
    """Times go on through silence; a silent second ends an utterance before the stream ends."""
    pcm = sounds.silence(16_000, 3) + SPEECH + sounds.silence(16_000, 2)
    call = caller.open()
    for message in (config(), *cut(pcm)):
        await call.write(message)
    messages = [await call.read() for _ in range(4)]  # before the half-close
    assert [message.result[0].start_time for message in messages] == [
        "3.00",
        "5.00",
        "7.00",
        "3.00",
    ]
    assert messages[-1].result[0].end_time == "8.00"
    await call.done_writing()
    assert (await finish(call)).messages == []


async def test_end_of_audio_ends_the_last_span(caller: Caller) -> None:
    """Speech that the half-close cuts off is judged up to its last hundredth."""
    reply = await caller.send(config(), *cut(sounds.speech(16_000, 4.609)))
    assert reply.times[-2:] == [("segment", "4.00", "4.60"), ("utterance", "0.00", "4.60")]


@pytest.mark.parametrize("rate", [8_000, 16_000])
async def test_non_speech_gives_nothing(caller: Caller, rate: int) -> None:
    """Silence, keys, hold music and noise end with OK and not a single result."""
    for sound in (
        sounds.silence(rate, 10),
        sounds.keypad(rate, 10),
        sounds.hold_music(rate, 20),
        sounds.noise(rate, 10, -20),
    ):
        reply = await caller.send(config(rate), *cut(sound))
        assert (reply.status, reply.messages) == ("OK", [])


async def test_config_alone_is_fine(caller: Caller) -> None:
    """A stream of a config and a half-close is OK: a way to probe."""
    reply = await caller.send(config())
    assert (reply.status, reply.messages) == ("OK", [])


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([], "INVALID_ARGUMENT"),
        ([audio(b"ab")], "INVALID_ARGUMENT"),
        ([config(0)], "INVALID_ARGUMENT"),
        ([config(), config()], "INVALID_ARGUMENT"),
        ([config(), audio(b"ab"), config()], "INVALID_ARGUMENT"),
        ([config(), audio(b"")], "INVALID_ARGUMENT"),
        ([config(), audio(b"abc")], "INVALID_ARGUMENT"),
        ([config(encoding=1)], "INVALID_ARGUMENT"),
        ([api_pb2.AudioStream()], "UNAUTHENTICATED"),
        ([config(), api_pb2.AudioStream(audio_content=b"ab")], "UNAUTHENTICATED"),
        (
            [config(), api_pb2.AudioStream(cid=CID, x_auth_token="no", audio_content=b"ab")],
            "UNAUTHENTICATED",
        ),
        (
            [config(), api_pb2.AudioStream(cid=8, x_auth_token=TOKEN, audio_content=b"ab")],
            "UNAUTHENTICATED",
        ),
    ],
)
async def test_broken_rules(
    caller: Caller, messages: list[api_pb2.AudioStream], status: str
) -> None:
    """Every broken rule has its status and a text, and the text holds no token."""
    reply = await caller.send(*messages)
    assert reply.status == status
    assert reply.detail
    assert TOKEN not in reply.detail


async def test_results_before_a_broken_rule_arrive(caller: Caller) -> None:
    """What was found before a bad message is still delivered."""
    reply = await caller.send(config(), *cut(SPEECH[:80_000]), audio(b"abc"))
    assert (reply.status, reply.times) == ("INVALID_ARGUMENT", ALL[:1])


async def test_garbage_is_refused(sandbox: Sandbox) -> None:
    """Bytes that are no message at all are INVALID_ARGUMENT."""
    async with grpc.aio.insecure_channel(str(sandbox.grpc)) as channel:
        call = channel.stream_stream(f"/{SERVICE}/DeepfakeDetection")()
        await call.write(b"\xff\xff\xff")
        assert (await finish(call)).status == "INVALID_ARGUMENT"


async def test_other_method_is_unimplemented(sandbox: Sandbox) -> None:
    """StreamAudio answers UNIMPLEMENTED."""
    async with connected(sandbox.grpc, "StreamAudio") as caller:
        assert (await caller.send(config())).status == "UNIMPLEMENTED"


async def test_large_messages_are_taken(caller: Caller) -> None:
    """The vendor's example sends up to 250 s in one message; 24 MB must pass."""
    reply = await caller.send(config(48_000), audio(sounds.silence(48_000, 250)))
    assert reply.status == "OK"


async def test_many_streams_at_once(caller: Caller, sandbox: Sandbox) -> None:
    """Streams don't mix: each has its process number, numbering and the results of its audio."""
    lengths = [2.0 + n % 4 for n in range(40)]
    replies = await asyncio.gather(
        *(caller.send(config(), *cut(sounds.speech(16_000, length))) for length in lengths)
    )
    for length, reply in zip(lengths, replies, strict=True):
        assert reply.status == "OK"
        assert reply.times[-1] == ("utterance", "0.00", f"{length:.2f}")
        assert [message.message_id for message in reply.messages] == list(range(len(reply.times)))
        assert len({message.pid for message in reply.messages}) == 1
    assert len({reply.messages[0].pid for reply in replies}) == 40
    assert {record.status for record in sandbox.audit.records()} == {"OK"}


async def test_audit_tells_what_was_received(caller: Caller, sandbox: Sandbox) -> None:
    """Config, counts and hash of the audio, and how the stream ended."""
    await caller.send(config(level="utterance"), *cut(SPEECH), x_session_id="call-1")
    [record] = sandbox.audit.records()
    view = record.view()
    assert view["sha256"] == hashlib.sha256(SPEECH).hexdigest()
    assert (view["bytes"], view["messages"]) == (len(SPEECH), len(list(cut(SPEECH))))
    assert (view["session"], view["cid"], view["seconds"]) == ("call-1", CID, 5.3)
    assert (view["status"], view["half_closed"], view["results"]) == ("OK", True, 1)
    assert TOKEN not in json.dumps(view)
    times = [record.opened_ms, record.first_audio_ms, record.last_audio_ms, record.ended_ms]
    assert times == sorted(time for time in times if time is not None)


async def test_caller_who_goes_away_is_noted(caller: Caller, sandbox: Sandbox) -> None:
    """A cancelled call is no half-close: it ends CANCELLED, and nothing lingers."""
    call = caller.open()
    await call.write(config())
    await call.write(audio(SPEECH))
    await call.read()
    call.cancel()
    await until(lambda: not sandbox.audit.accepted)
    [record] = sandbox.audit.records()
    assert (record.status, record.half_closed) == ("CANCELLED", False)
