"""What a session's work leaves in the metrics."""

import asyncio
from fractions import Fraction

import pytest

from consumer.model import EndReason, Level, Prediction, StreamMessage, StreamResult
from tests.engine.at_work import working
from tests.engine.stand import settle_down, virtual_time

pytestmark = virtual_time


async def test_every_stage_of_the_way_is_timed() -> None:
    """From the record's time stamp to the stream, from there to the result, and in all."""
    async with working(lambda _: None) as w:
        w.stand.clock.skew_ms = -2000
        w.hear(2.0)
        w.stand.clock.skew_ms = 0
        await asyncio.sleep(3)
        assert w.stand.metrics.observed["intake_delay_seconds"] == [(2.0, ())] * 2
        for number, label in enumerate(("spoofed", "a word of its own")):
            found = StreamResult(
                *(str(number), Fraction(0), Fraction(2), "deepfake", Level.SEGMENT, label),
                (Prediction(label, 0.9),),
            )
            w.stand.api.streams[0].send(StreamMessage(1, 100, number, (found,)))
        await settle_down()
        observed = w.stand.metrics.observed
        assert observed["result_delay_seconds"] == [(5.0, ("segment",))] * 2
        assert [waited for waited, _ in observed["verdict_delay_seconds"]] == pytest.approx([3, 3])
        assert w.stand.metrics.series["results_published"] == {
            ("segment", "spoofed"): 1,
            ("segment", "other"): 1,
        }


async def test_audio_is_counted_in_seconds() -> None:
    """Taken in, taken by streams, and judged: told apart, by the second."""
    async with working() as w:
        w.hear(4.5)
        await asyncio.sleep(1)
        w.worker.report()
        w.worker.report()
        values = w.stand.metrics.values
        assert values["audio_received_seconds"] == 4.5
        assert values["audio_sent_seconds"] == pytest.approx(4), "told by the second"
        assert values["audio_judged_seconds"] == 4
        w.worker.end(EndReason.MARKED, w.worker.timestamp)
        await asyncio.sleep(1)
        assert values["audio_sent_seconds"] == pytest.approx(4.5)
        assert values["audio_bytes"] == 900
