"""Messages are understood or refused with a text that helps."""

import pytest

from consumer.pb import api_pb2
from consumer.sandbox.errors import Refused
from consumer.sandbox.rules import Credentials, read_audio, read_config
from consumer.sandbox.segments import Level
from tests.sandbox.caller import CID, TOKEN, audio, config


@pytest.mark.parametrize(
    ("fields", "levels", "name"),
    [
        ({}, {Level.SEGMENT, Level.UTTERANCE}, "all"),
        ({"level": api_pb2.segment}, {Level.SEGMENT}, "segment"),
        ({"level": api_pb2.utterance}, {Level.UTTERANCE}, "utterance"),
    ],
)
def test_level_chooses_results(fields: dict[str, int], levels: set[Level], name: str) -> None:
    """An absent level means both, and is not the same as segment, which is zero."""
    understood = read_config(config(8_000, **fields))
    assert understood.levels == levels
    assert understood.level == name
    assert understood.sample_rate == 8_000


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (audio(b"ab"), "must hold the config"),
        (api_pb2.AudioStream(cid=CID, x_auth_token=TOKEN), "must hold the config"),
        (config(0), "must be positive, not 0"),
        (config(-8_000), "must be positive, not -8000"),
        (config(encoding=3), "encoding 3 is not known"),
        (config(level=9), "level 9 is not known"),
    ],
)
def test_bad_configs(message: api_pb2.AudioStream, text: str) -> None:
    """A first message that is no good config is INVALID_ARGUMENT."""
    with pytest.raises(Refused, match=text) as caught:
        read_config(message)
    assert caught.value.status == "INVALID_ARGUMENT"


def test_config_comes_alone() -> None:
    """Audio beside the config is refused."""
    message = config()
    message.audio_content = b"ab"
    with pytest.raises(Refused, match="must not hold audio"):
        read_config(message)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (config(), "only the first message"),
        (audio(b""), "must hold audio"),
        (audio(b"abc"), "3 bytes of audio are not whole"),
    ],
)
def test_bad_audio(message: api_pb2.AudioStream, text: str) -> None:
    """A later message that isn't audio alone is INVALID_ARGUMENT."""
    with pytest.raises(Refused, match=text) as caught:
        read_audio(message)
    assert caught.value.status == "INVALID_ARGUMENT"


def test_audio_is_passed_on() -> None:
    """Good audio comes out as it went in."""
    assert read_audio(audio(b"abcd")) == b"abcd"


@pytest.mark.parametrize(
    ("cid", "token"), [(0, TOKEN), (-1, TOKEN), (CID, ""), (CID, "wr0ng"), (8, TOKEN)]
)
def test_wrong_credentials(cid: int, token: str) -> None:
    """Missing or wrong credentials are UNAUTHENTICATED, and the text holds no token."""
    with pytest.raises(Refused) as caught:
        Credentials(CID, TOKEN).admit(cid, token)
    assert caught.value.status == "UNAUTHENTICATED"
    assert TOKEN not in str(caught.value)
    assert "wr0ng" not in str(caught.value)


def test_open_house_still_binds_the_stream() -> None:
    """Where any credentials will do, a stream must keep those of its first message."""
    bound = Credentials().admit(12, "pässword")
    assert bound.admit(12, "pässword") == bound
    for cid, token in ((13, "pässword"), (12, "password"), (0, ""), (12, "")):
        with pytest.raises(Refused):
            bound.admit(cid, token)


def test_token_is_not_shown() -> None:
    """Printing credentials doesn't print the token."""
    assert TOKEN not in repr(Credentials(CID, TOKEN))
