"""Files go in by the command `feed`, and what is found in them comes out."""

import asyncio
from pathlib import Path

import pytest

from consumer.demo.child import Child
from consumer.model import Encoding
from tests.e2e.calls import CLIPS, Call, clip_call
from tests.e2e.process import environment, python
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

NAMES = sorted(path.stem for path in CLIPS.glob("*.wav"))


async def test_clips_in_results_out(stage: Stage) -> None:
    """Every clip gives the results of a clean run of it, however it is written and wrapped."""
    plain = [clip_call(f"plain-{name}", name) for name in NAMES]
    phone = [
        clip_call(f"phone-{name}", name, encoding=Encoding.PCM_MULAW, chunk_ms=20) for name in NAMES
    ]
    await stage.start_sandbox()
    await _feed(stage, "--key-prefix", "plain-", "--speed", "0")
    await stage.start_consumer()
    telephony = ("--encoding", "pcm_mulaw", "--chunk-ms", "20", "--format", "json")
    await _feed(stage, *telephony, "--key-prefix", "phone-", "--speed", "8")
    await stage.adopt([*plain, *phone])
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    for call in (*plain, *phone):
        await _agrees(stage, call)


async def _agrees(stage: Stage, call: Call) -> None:
    """As many results as the API gives without the service, at the same times within a second."""
    clean = await stage.clean_run(call)
    told = stage.topics.of(call.key)
    assert clean
    assert [result.level for result in told] == [span.level for span in clean]
    for result, span in zip(told, clean, strict=True):
        assert result.start == pytest.approx(span.start, abs=1)
        assert result.end == pytest.approx(span.end, abs=1)


async def _feed(stage: Stage, *flags: str) -> None:
    files = [str(CLIPS / f"{name}.wav") for name in NAMES]
    settings = {**environment(), **stage.settings({})}
    code, words = await command(stage.folder, settings, "feed", *files, *flags)
    assert code == 0, words
    assert f"sent {len(NAMES)} calls" in words


async def command(folder: Path, settings: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and words of a command that ends by itself."""
    child = Child("command", (*python(), *arguments), folder / "command.log", settings)
    await child.start()
    async with asyncio.timeout(60):
        return await child.ended(), child.last_words()
