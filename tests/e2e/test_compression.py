"""Producers may compress as they like."""

import pytest

from tests.e2e.calls import call, spoken
from tests.e2e.feeder import Feeder
from tests.e2e.stage import NAMES, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

CODECS = ("gzip", "snappy", "lz4", "zstd")


async def test_compressed_input(stage: Stage) -> None:
    """Calls come through whole in each of the four ways to compress, on one topic."""
    for number, codec in enumerate(CODECS):
        sound = spoken(("reading_unless", 1.0), 16_000)
        async with Feeder(stage.brokers, NAMES.input, codec) as feeder:
            await feeder.play([call(f"call-{codec}", sound, partition=number % 2)], end=True)
            stage.feeder.adopt(feeder)
    await stage.start()
    await stage.over()
    assert await stage.complaints() == []
    assert stage.topics.letters == []
    assert len(stage.topics.results) >= 2 * len(CODECS)
