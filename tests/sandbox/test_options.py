"""Addresses are read and written, and options that can't work are refused."""

import pytest

from consumer.sandbox.errors import Misused
from consumer.sandbox.options import Address, SandboxOptions, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:50051", Address("127.0.0.1", 50_051)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:80", Address("::1", 80)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    """What is read prints as it was written."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "localhost", ":1", "[]:1", "::1:80", "host:", "host:x", "host:-1", "host:65536"]
)
def test_bad_addresses(text: str) -> None:
    """Anything else is told."""
    with pytest.raises(Misused, match="is not HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize("numbers", [{"grace": -1.0}, {"receive_limit": 0}])
def test_bad_numbers(numbers: dict[str, float]) -> None:
    """Numbers out of range are refused."""
    with pytest.raises(ValueError, match="must be"):
        SandboxOptions(**numbers)  # type: ignore[arg-type]  # wrong on purpose
