"""How the client library is told about encryption and logging in.

Errors name the file or the setting, never what is in it.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from consumer.adapters.kafka.options import SecurityOptions
from consumer.errors import KafkaRefused


def security_arguments(security: SecurityOptions) -> Mapping[str, Any]:
    """What every connection to a broker needs. Raises KafkaRefused."""
    arguments: dict[str, Any] = {"security_protocol": security.protocol}
    if security.protocol.endswith("SSL"):
        arguments["ssl_context"] = ssl_context(security)
    if security.protocol.startswith("SASL"):
        if security.username is None or security.password is None:
            raise KafkaRefused(f"{security.protocol} needs a user name and a password")
        arguments["sasl_mechanism"] = security.mechanism
        arguments["sasl_plain_username"] = security.username
        arguments["sasl_plain_password"] = security.password
    return arguments


def ssl_context(security: SecurityOptions) -> ssl.SSLContext:
    """A context that trusts the given authorities. Raises KafkaRefused for unreadable files."""
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
    except OSError as error:  # ssl.SSLError is one too
        raise KafkaRefused(f"can't read the authorities in {security.ca_file}: {error}") from error
    context.check_hostname = security.check_hostname
    if security.cert_file is not None:
        _load_certificate(context, security)
    return context


def _load_certificate(context: ssl.SSLContext, security: SecurityOptions) -> None:
    # Without a password OpenSSL would ask on the terminal.
    password = security.key_password or ""
    try:
        context.load_cert_chain(str(security.cert_file), security.key_file, password)
    except OSError as error:
        text = f"can't use the certificate {security.cert_file} with the key {security.key_file}"
        raise KafkaRefused(f"{text}: {error}") from error
