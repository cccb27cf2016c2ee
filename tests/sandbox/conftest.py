"""A sandbox for each test that asks for one, and a caller connected to it."""

from collections.abc import AsyncIterator

import pytest

from consumer.sandbox.options import SandboxOptions
from consumer.sandbox.rules import Credentials
from consumer.sandbox.server import Sandbox, running
from consumer.sandbox.silero import Model
from tests.sandbox.caller import CID, TOKEN, Caller, connected


@pytest.fixture(scope="session")
def model() -> Model:
    """The voice activity model, loaded once."""
    return Model()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox for one project, without faults."""
    options = SandboxOptions(credentials=Credentials(CID, TOKEN), grace=0)
    async with running(options) as sandbox:
        yield sandbox


@pytest.fixture
async def caller(sandbox: Sandbox) -> AsyncIterator[Caller]:
    """Calls that sandbox."""
    async with connected(sandbox.grpc) as caller:
        yield caller
