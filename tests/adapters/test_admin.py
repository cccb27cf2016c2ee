"""Health over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from consumer.adapters.admin.server import AdminOptions, AdminServer, Verdict
from consumer.errors import ConfigurationError

ANYWHERE = AdminOptions(port=0)


class House:
    """What the server reports on."""

    def __init__(self) -> None:
        self.live = Verdict(ok=True)
        self.ready = Verdict(ok=True)
        self.server = AdminServer(
            ANYWHERE,
            {"/live": lambda: self.live, "/ready": lambda: self.ready},
            lambda: {"partitions": [1, 2]},
            lambda accept: (f"a page for {accept}".encode(), "text/plain; version=0.0.4"),
        )

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and body of an answer."""
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    """A house with its server running."""
    made = House()
    await made.server.start()
    yield made
    await made.server.stop()


async def test_is_well(house: House) -> None:
    """All well is 200 with no reasons."""
    for path in ("/live", "/ready"):
        assert await house.get(path) == (200, {"ok": True, "reasons": []})


async def test_says_what_is_wrong(house: House) -> None:
    """Not ready is 503 with the reasons, and says nothing about being alive."""
    house.ready = Verdict(ok=False, reasons=("the API refuses the token",))
    assert await house.get("/ready") == (
        503,
        {"ok": False, "reasons": ["the API refuses the token"]},
    )
    assert (await house.get("/live"))[0] == 200
    house.live = Verdict(ok=False, reasons=("the poll loop stands still",))
    assert (await house.get("/live"))[0] == 503


async def test_shows_how_it_stands(house: House) -> None:
    """The status is what it is given, as JSON."""
    assert await house.get("/status") == (200, {"partitions": [1, 2]})


async def test_knows_no_other_pages(house: House) -> None:
    """Anything else is not found."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{house.server.port}/secrets") as answer:
            assert answer.status == 404
        async with session.post(f"http://127.0.0.1:{house.server.port}/live") as answer:
            assert answer.status == 405


async def test_listens_only_between_start_and_stop(house: House) -> None:
    """After stop nobody answers, and stopping again does no harm."""
    port = house.server.port
    assert port
    await house.server.stop()
    await house.server.stop()
    assert house.server.port == 0
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as session:
            await session.get(f"http://127.0.0.1:{port}/live")


async def test_says_when_the_port_is_taken(house: House) -> None:
    """A port in use is a mistake of the settings, told without a traceback's worth of words."""
    taken = AdminOptions(port=house.server.port)
    second = AdminServer(taken, {}, dict, lambda _: (b"", ""))
    with pytest.raises(ConfigurationError, match=f"can't listen on 127.0.0.1:{taken.port}"):
        await second.start()
    assert second.port == 0


async def test_serves_the_page_for_prometheus(house: House) -> None:
    """In the format that was asked for, with its content type as it is."""
    url = f"http://127.0.0.1:{house.server.port}/metrics"
    async with aiohttp.request("GET", url, headers={"Accept": "this"}) as answer:
        assert (answer.status, await answer.text()) == (200, "a page for this")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
