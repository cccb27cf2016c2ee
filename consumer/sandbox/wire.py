"""Breaks a TCP connection as a failing network does: without a status, a goodbye or a flush.

gRPC hides its sockets, and a proxy in front of the server would cost every byte a detour. But the
sockets are file descriptors of this very process, and the one that leads to a given peer can be
found among them. Needs a system with /dev/fd (Linux, macOS).
"""

import os
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import unquote

Endpoint = tuple[IPv4Address | IPv6Address, int]
_ABORT = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset instead of an orderly end."""


def cut(peer: str) -> bool:
    """Break this process's connection to `peer`; False when there is none.

    peer: as gRPC names it, "ipv4:127.0.0.1:50000" or "ipv6:%5B::1%5D:50000".
    """
    wanted = _parse(peer)
    return any(_cut_if(wanted, int(entry.name)) for entry in list(Path("/dev/fd").iterdir()))


def _parse(peer: str) -> Endpoint:
    host, _, port = unquote(peer).partition(":")[2].rpartition(":")
    return ip_address(host.strip("[]")), int(port)


def _cut_if(wanted: Endpoint, descriptor: int) -> bool:
    try:
        # A copy of the descriptor can't be closed and given to something else while we look.
        connection = socket.socket(fileno=os.dup(descriptor))
    except OSError:  # closed meanwhile, or no socket
        return False
    with connection:
        if _endpoint(connection) != wanted:
            return False
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        connection.shutdown(socket.SHUT_RDWR)
    return True


def _endpoint(connection: socket.socket) -> Endpoint | None:
    try:
        name = connection.getpeername()
        address = ip_address(name[0])
    except (OSError, ValueError, IndexError, TypeError):  # not connected, or not TCP
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address, name[1]
