"""Fixtures of the adapters' tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.adapters.broker import broker, lone_broker
from tests.adapters.served import analyzer, server
from tests.adapters.worlds import AnyBroker, BrokerWorld, FakeWorld, World, broker_world

__all__ = ["analyzer", "broker", "lone_broker", "server"]

BROKERS = [
    pytest.param("broker", marks=pytest.mark.broker),
    pytest.param("apache_kafka", marks=pytest.mark.kafka),
]
"""Fixtures that are running brokers."""
WORLDS = ["memory", *BROKERS]


@pytest_asyncio.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """All worlds, one after the other."""
    if request.param == "memory":
        yield FakeWorld()
        return
    async with broker_world(request.getfixturevalue(request.param)) as real:
        yield real


@pytest.fixture(params=BROKERS)
def any_broker(request: pytest.FixtureRequest) -> AnyBroker:
    """The embedded broker, then Apache Kafka."""
    running: AnyBroker = request.getfixturevalue(request.param)
    return running


@pytest_asyncio.fixture
async def real_world(any_broker: AnyBroker) -> AsyncIterator[BrokerWorld]:
    """The worlds that are no fakes."""
    async with broker_world(any_broker) as real:
        yield real
