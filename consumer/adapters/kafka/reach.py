"""Why the brokers could not be reached, in words that help.

The client library tries every bootstrap server and then says only that none would do; whether the
name was wrong, the password refused or the certificate unknown went to its log. So the first
server is tried once more, for the reason.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from aiokafka.client import collect_hosts
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError

from consumer.adapters.kafka.errors import ours
from consumer.adapters.kafka.options import KafkaOptions
from consumer.adapters.kafka.security import security_arguments
from consumer.errors import KafkaFailed, KafkaRefused


async def reach(
    start: Callable[[], Awaitable[object]], patience_seconds: float, kafka: KafkaOptions, doing: str
) -> None:
    """Start a client within a time. Raises KafkaFailed and KafkaRefused with the real reason."""
    try:
        async with asyncio.timeout(patience_seconds):
            await start()
    except KafkaConnectionError as error:
        raise await _reason(kafka, doing) from error
    except TimeoutError as error:
        where = kafka.bootstrap_servers
        text = f"{doing} at {where}: no answer in time (check the address and the protocol)"
        raise KafkaFailed(text) from error
    except Exception as error:
        raise ours(error, doing) from error


async def _reason(kafka: KafkaOptions, doing: str) -> KafkaFailed:
    host, port, _ = collect_hosts(kafka.bootstrap_servers, randomize=False)[0]
    doing = f"{doing} at {host}:{port}"
    try:
        connection = await create_conn(
            host,
            port,
            client_id=kafka.client_id,
            request_timeout_ms=int(kafka.request_timeout_seconds * 1000),
            **security_arguments(kafka.security),
        )
    except ssl.SSLError as error:
        text = f"{doing}: {error} (check the protocol, the certificates and their authorities)"
        return KafkaRefused(text)
    except Exception as error:
        return ours(error, doing)
    connection.close()
    return KafkaFailed(f"{doing}: the brokers answer now and did not a moment ago")
