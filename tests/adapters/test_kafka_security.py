"""Encryption and logging in, as far as they can be seen without such a broker."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.adapters.kafka.options import SecurityOptions, SourceOptions
from consumer.adapters.kafka.security import security_arguments
from consumer.adapters.kafka.topics import KafkaTopics
from consumer.errors import KafkaFailed, KafkaRefused
from tests.adapters.broker import Broker

CERTIFICATES = Path(__file__).parent / "certificates"
CA, CERT, KEY = (CERTIFICATES / name for name in ("ca.pem", "localhost.pem", "localhost.key"))


def test_needs_nothing_without_encryption() -> None:
    """PLAINTEXT takes neither context nor login."""
    assert security_arguments(SecurityOptions()) == {"security_protocol": "PLAINTEXT"}


def test_builds_a_context_from_files() -> None:
    """SSL trusts the given authorities only, shows the client certificate, checks names."""
    context = security_arguments(
        SecurityOptions(protocol="SSL", ca_file=CA, cert_file=CERT, key_file=KEY)
    )["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_checks_no_names_when_told_so() -> None:
    """Host names may be left unchecked, the certificate may not."""
    context = security_arguments(SecurityOptions(protocol="SSL", ca_file=CA, check_hostname=False))[
        "ssl_context"
    ]
    assert not context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_passes_the_login_on(mechanism: str) -> None:
    """User, password and mechanism reach the library, and the password nothing else."""
    security = SecurityOptions(
        protocol="SASL_SSL",
        mechanism=mechanism,  # type: ignore[arg-type] # one of them by the list above
        username="user",
        password="hunter2",
    )
    arguments = security_arguments(security)
    assert arguments["sasl_mechanism"] == mechanism
    assert arguments["sasl_plain_username"] == "user"
    assert arguments["sasl_plain_password"] == "hunter2"
    assert "ssl_context" in arguments
    assert "hunter2" not in repr(security)


@pytest.mark.parametrize(
    ("security", "named"),
    [
        (SecurityOptions(protocol="SSL", ca_file=CERTIFICATES / "none.pem"), "none.pem"),
        (SecurityOptions(protocol="SSL", ca_file=KEY), "localhost.key"),
        (SecurityOptions(protocol="SSL", cert_file=CERT, key_file=CA), "ca.pem"),
        (SecurityOptions(protocol="SASL_SSL", username="user"), "password"),
    ],
)
def test_names_what_it_cannot_use(security: SecurityOptions, named: str) -> None:
    """A wrong file is named, and its contents are not."""
    with pytest.raises(KafkaRefused, match=named) as caught:
        security_arguments(security)
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.broker
@pytest.mark.parametrize(
    "security",
    [
        SecurityOptions(protocol="SSL", ca_file=CA),
        SecurityOptions(protocol="SASL_PLAINTEXT", username="user", password="hunter2"),
    ],
)
async def test_says_why_a_broker_did_not_take_us(broker: Broker, security: SecurityOptions) -> None:
    """A broker that speaks otherwise is an error with its address and without the password."""
    kafka = replace(broker.options, security=security, request_timeout_seconds=1.0)
    with pytest.raises(KafkaFailed, match=broker.address) as caught:
        async with KafkaTopics(kafka):
            pass
    assert "hunter2" not in str(caught.value)


def test_wants_heartbeats_to_fit() -> None:
    """Options that would lose the membership by one missed heartbeat can't be made."""
    with pytest.raises(ValueError, match="heartbeat"):
        SourceOptions(topic="t", group_id="g", session_timeout_seconds=6, heartbeat_seconds=3)
