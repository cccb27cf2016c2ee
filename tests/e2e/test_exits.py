"""What a person sees of a consumer that can't work: a code, a sentence, no traceback, no secret."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from consumer.demo.port import HOST, free_port
from tests.e2e.process import giving_up
from tests.e2e.stage import NAMES, TOKEN, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

REQUIRED = {
    "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": f"{HOST}:9092",
    "CONSUMER_API__TARGET": f"{HOST}:50051",
    "CONSUMER_API__CID": "7",
    "CONSUMER_API__TOKEN": TOKEN,
}


@pytest.mark.parametrize("missing", REQUIRED)
async def test_missing_setting(tmp_path: Path, missing: str) -> None:
    """A setting that is missing is named, and nothing else is complained of."""
    settings = {name: value for name, value in REQUIRED.items() if name != missing}
    code, words = await _run(tmp_path, settings)
    assert code == 2
    assert words.startswith(f"detection-consumer: {missing}: is required")
    assert len(words.splitlines()) == 1


async def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Every wrong setting is told in one go, and a token in the wrong place is not repeated."""
    wrong = {
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": "http://broker",
        "CONSUMER_API__CID": TOKEN,
        "CONSUMER_API__TARGT": TOKEN,
        "CONSUMER_DELIVERY": "exactly_twice",
    }
    code, words = await _run(tmp_path, {**REQUIRED, **wrong})
    assert code == 2
    assert all(name in words for name in wrong)
    assert "did you mean CONSUMER_API__TARGET?" in words


async def test_unreachable_kafka(tmp_path: Path) -> None:
    """Brokers that can't be reached are named."""
    brokers = f"{HOST}:{free_port()}"
    settings = {
        **REQUIRED,
        "CONSUMER_KAFKA__BOOTSTRAP_SERVERS": brokers,
        "CONSUMER_KAFKA__REQUEST_TIMEOUT_SECONDS": "1",
        "CONSUMER_ADMIN__LISTEN": f"{HOST}:0",
    }
    code, words = await _run(tmp_path, settings)
    assert code == 1
    assert "detection-consumer: can't reach Kafka" in words
    assert brokers in words


async def test_missing_input_topic(stage: Stage) -> None:
    """An input topic that isn't there is named, with what to do."""
    settings = stage.settings({"KAFKA__INPUT_TOPIC": "nobody-s", "ADMIN__LISTEN": f"{HOST}:0"})
    code, words = await _run(stage.folder, settings)
    assert code == 1
    assert "the input topic nobody-s does not exist" in words
    assert "kafka.input_topic" in words


async def test_taken_port(stage: Stage) -> None:
    """A port for health that another process has is told; no group was joined for it."""
    await stage.start_sandbox()
    settings = stage.settings({"ADMIN__LISTEN": f"{HOST}:{stage.rest}"})
    code, words = await _run(stage.folder, settings)
    assert code == 2
    assert f"can't listen on {HOST}:{stage.rest}" in words
    assert NAMES.group not in words


async def _run(folder: Path, settings: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and words of a consumer that gives up by itself."""
    code, words = await giving_up(folder, settings)
    assert "Traceback" not in words
    assert TOKEN not in words
    return code, words
