"""Whose fault it is when a stream ends: one table from gRPC's status codes.

Codes decide, never texts: the API's texts are documented nowhere.
"""

from collections.abc import Mapping
from typing import Final

import grpc

from consumer.errors import Fault, StreamFailed

FAULTS: Final[Mapping[grpc.StatusCode, Fault]] = {
    grpc.StatusCode.OK: Fault.TRANSIENT,
    grpc.StatusCode.CANCELLED: Fault.TRANSIENT,
    grpc.StatusCode.UNKNOWN: Fault.TRANSIENT,
    grpc.StatusCode.DEADLINE_EXCEEDED: Fault.TRANSIENT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Fault.TRANSIENT,
    grpc.StatusCode.ABORTED: Fault.TRANSIENT,
    grpc.StatusCode.INTERNAL: Fault.TRANSIENT,
    grpc.StatusCode.UNAVAILABLE: Fault.TRANSIENT,
    grpc.StatusCode.DATA_LOSS: Fault.TRANSIENT,
    grpc.StatusCode.ALREADY_EXISTS: Fault.TRANSIENT,
    grpc.StatusCode.UNAUTHENTICATED: Fault.SETTINGS,
    grpc.StatusCode.PERMISSION_DENIED: Fault.SETTINGS,
    grpc.StatusCode.UNIMPLEMENTED: Fault.SETTINGS,
    grpc.StatusCode.NOT_FOUND: Fault.SETTINGS,
    grpc.StatusCode.INVALID_ARGUMENT: Fault.AUDIO,
    grpc.StatusCode.FAILED_PRECONDITION: Fault.AUDIO,
    grpc.StatusCode.OUT_OF_RANGE: Fault.AUDIO,
}
"""All codes there are. OK stands here for a server that ends a stream before we did."""

EARLY_OK: Final = "the server ended the stream before our half-close"
GIVEN_UP: Final = "given up by this side"
_DETAIL_LIMIT: Final = 500


def failure(code: grpc.StatusCode, details: str | None, secret: str = "") -> StreamFailed:
    """The error of ours for a status. `secret`, if a server repeats it, is masked."""
    text = details or (EARLY_OK if code is grpc.StatusCode.OK else "no details")
    if secret:
        text = text.replace(secret, "***")
    return StreamFailed(FAULTS[code], code.name, text[:_DETAIL_LIMIT])
