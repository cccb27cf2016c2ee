"""Channels to the API, each with its own connection and with room for a number of streams.

Streams beyond what a server or proxy allows per connection wait in silence, so the pool counts
them itself. gRPC would let channels to the same target share one connection; distinct arguments
keep them apart. A channel without streams is kept, but its connection is dropped after a while.
"""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import grpc

from consumer.adapters.analyzer.options import SERVICE, AnalyzerOptions
from consumer.errors import Fault, LocalProtocolError, StreamFailed

PATH: Final = f"/{SERVICE}/"
_MIN_RECONNECT_MS: Final = 200


@dataclass(slots=True, eq=False)
class Seat:
    """One channel: `start` begins a call on it; `streams` counts those that are not over."""

    channel: grpc.aio.Channel
    start: Any
    streams: int = 0


class ChannelPool:
    """All channels to one target."""

    def __init__(self, options: AnalyzerOptions) -> None:
        self._options = options
        self._numbers = count()
        self._seats: list[Seat] = []
        self._stopped = False

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self._seats)

    def take(self) -> Seat:
        """A channel with room for one stream more. Raises StreamFailed for unreadable TLS files.

        The fullest one, so that the others can empty and drop their connections.
        """
        if self._stopped:
            raise LocalProtocolError("the analyzer is stopped")
        room = [s for s in self._seats if s.streams < self._options.streams_per_channel]
        seat = max(room, key=lambda s: s.streams, default=None) or self._add()
        seat.streams += 1
        return seat

    def give_back(self, seat: Seat) -> None:
        """The stream is over."""
        seat.streams -= 1

    async def stop(self) -> None:
        """Close all channels and cancel what is open on them."""
        self._stopped = True
        seats, self._seats = self._seats, []
        for seat in seats:
            await seat.channel.close()

    def _add(self) -> Seat:
        channel = self._connect(channel_arguments(self._options, next(self._numbers)))
        # Bytes pass as they are: messages are written and read where errors can be told.
        seat = Seat(channel, channel.stream_stream(PATH + self._options.method))
        self._seats.append(seat)
        return seat

    def _connect(self, arguments: list[tuple[str, int]]) -> grpc.aio.Channel:
        options = self._options
        if not options.tls:
            return grpc.aio.insecure_channel(options.target, options=arguments)
        try:
            authorities = options.ca_file.read_bytes() if options.ca_file else None
        except OSError as error:
            text = f"can't read the authorities in {options.ca_file}: {error}"
            raise StreamFailed(Fault.SETTINGS, "UNAUTHENTICATED", text) from error
        credentials = grpc.ssl_channel_credentials(root_certificates=authorities)
        return grpc.aio.secure_channel(options.target, credentials, options=arguments)


def channel_arguments(options: AnalyzerOptions, number: int) -> list[tuple[str, int]]:
    """Arguments of gRPC's core; `number` makes them unlike any other channel's."""
    return [
        ("consumer.channel_number", number),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.keepalive_time_ms", _ms(options.keepalive_seconds)),
        ("grpc.keepalive_timeout_ms", _ms(options.keepalive_timeout_seconds)),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.min_reconnect_backoff_ms", _ms(options.connect_timeout_seconds)),
        ("grpc.initial_reconnect_backoff_ms", _MIN_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _ms(options.reconnect_seconds)),
        ("grpc.client_idle_timeout_ms", _ms(options.idle_seconds)),
        ("grpc.max_send_message_length", options.max_send_bytes),
        ("grpc.max_receive_message_length", options.max_receive_bytes),
        ("grpc.enable_retries", 0),
    ]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
