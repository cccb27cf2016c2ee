"""Connections of this process can be broken from the inside."""

import socket

import pytest

from consumer.sandbox.wire import cut


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", "ipv4"), ("::1", "ipv6")], ids=["IPv4", "IPv6"]
)
def test_only_the_named_connection_breaks(host: str, family: str) -> None:
    """The peer of the cut connection gets an end at once, the other one doesn't notice."""
    kind = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
    with (
        socket.create_server((host, 0), family=kind) as server,
        socket.create_connection(server.getsockname()[:2]) as victim,
        socket.create_connection(server.getsockname()[:2]) as other,
        server.accept()[0] as to_victim,
        server.accept()[0] as to_other,
    ):
        quoted = host.replace(":", "%3A") if family == "ipv4" else "%5B::1%5D"
        assert cut(f"{family}:{quoted}:{victim.getsockname()[1]}")
        victim.settimeout(10)
        assert victim.recv(1) == b""
        with pytest.raises(BrokenPipeError):
            to_victim.send(b"x")
        to_other.send(b"x")
        assert other.recv(1) == b"x"


def test_unknown_peer() -> None:
    """Nothing happens when there is no such connection."""
    assert not cut("ipv4:127.0.0.1:1")
