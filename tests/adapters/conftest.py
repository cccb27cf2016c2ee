"""Fixtures of the adapters' tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.adapters.broker import Broker, broker, lone_broker
from tests.adapters.served import analyzer, server
from tests.adapters.worlds import BrokerWorld, FakeWorld, World, broker_world

__all__ = ["analyzer", "broker", "lone_broker", "server"]

WORLDS = ["memory", pytest.param("broker", marks=pytest.mark.broker)]


@pytest_asyncio.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Both worlds, one after the other."""
    if request.param == "memory":
        yield FakeWorld()
        return
    async with broker_world(request.getfixturevalue("broker")) as real:
        yield real


@pytest_asyncio.fixture
async def real_world(broker: Broker) -> AsyncIterator[BrokerWorld]:
    """The embedded broker only."""
    async with broker_world(broker) as real:
        yield real
