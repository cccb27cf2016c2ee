"""What the settings accept, refuse and build."""

from pathlib import Path

import pytest

from consumer.codec.fields import ContentType
from consumer.codec.headers import ChunkDefaults
from consumer.core.policy import (
    BackoffPolicy,
    BreakerPolicy,
    CoalescePolicy,
    CommitPolicy,
    FlowPolicy,
    IdlePolicy,
    MemoryPolicy,
    RetryPolicy,
    SequencePolicy,
    SessionPolicy,
    StreamPolicy,
)
from consumer.errors import ConfigurationError
from consumer.model import AudioFormat, Encoding, Hertz, LevelChoice
from tests.settings.conftest import Build


def test_required_alone_suffices(build: Build) -> None:
    """With target, cid, token and brokers everything else has a default."""
    settings = build()
    assert settings.kafka.input_topic == "call-audio"
    assert settings.kafka.group_id == "detection-consumer"
    assert settings.kafka.results_topic == "detection-results"
    assert settings.kafka.sessions_topic == "detection-sessions"
    assert settings.kafka.dead_letters == "call-audio-dlq"
    assert settings.kafka.start == "earliest"
    assert settings.kafka.out_of_range == "stop"
    assert settings.kafka.idempotent
    assert settings.api.tls
    assert settings.api.level is LevelChoice.ALL
    assert settings.api.access_token() == "hush-hush"
    assert settings.kafka.checkpoints == "detection-consumer-call-audio-checkpoints"
    assert settings.kafka.transaction_timeout_seconds == 15.0
    assert settings.delivery == "at_least_once"


def test_default_policies_are_the_core_s(build: Build) -> None:
    """The defaults of settings and of the core's policies never drift apart."""
    settings = build()
    assert settings.session_policy() == SessionPolicy()
    assert settings.breaker_policy() == BreakerPolicy()
    assert settings.idle_policy() == IdlePolicy()
    assert settings.flow_policy() == FlowPolicy()
    assert settings.commit_policy() == CommitPolicy()


def test_defaults_of_records_are_the_codec_s(build: Build) -> None:
    """A record without headers means the same to the settings' defaults and to the codec's."""
    ours, its = build().chunk_defaults(), ChunkDefaults()
    assert (ours.format, ours.level, ours.content) == (its.format, its.level, its.content)


def test_session_policy_takes_every_value(build: Build) -> None:
    """Each setting of a session lands in its own place of the policy."""
    settings = build(
        CONSUMER_API__HORIZON_SECONDS="41",
        CONSUMER_API__STREAM_LIMIT_SECONDS="42",
        CONSUMER_API__CLOSE_TIMEOUT_SECONDS="43",
        CONSUMER_API__STALL_TIMEOUT_SECONDS="44",
        CONSUMER_API__STALL_GRACE_SECONDS="45",
        CONSUMER_SESSION__CUT_PATIENCE_SECONDS="46",
        CONSUMER_SESSION__SETTLE_HOLD_SECONDS="47",
        CONSUMER_MESSAGE__TARGET_SECONDS="0.1",
        CONSUMER_MESSAGE__BEHIND_SECONDS="0.2",
        CONSUMER_MESSAGE__LINGER_SECONDS="0.3",
        CONSUMER_MESSAGE__IN_FLIGHT_SECONDS="0.4",
        CONSUMER_SESSION__HELD_BYTES="3MiB",
        CONSUMER_SESSION__REFETCH_BYTES="2MiB",
        CONSUMER_SESSION__TIGHT_SHARE="0.5",
        CONSUMER_SESSION__SEQUENCE_WINDOW="10",
        CONSUMER_SESSION__FILL_GAPS="true",
        CONSUMER_SESSION__FILL_LIMIT_SECONDS="3",
        CONSUMER_RETRY__ATTEMPTS="9",
        CONSUMER_RETRY__ALIVE_SECONDS="8",
        CONSUMER_RETRY__STUCK_SECONDS="7",
        CONSUMER_RETRY__INITIAL_SECONDS="1",
        CONSUMER_RETRY__FACTOR="3",
        CONSUMER_RETRY__MAXIMUM_SECONDS="5",
        CONSUMER_RETRY__JITTER="0",
    )
    assert settings.session_policy() == SessionPolicy(
        stream=StreamPolicy(
            horizon=41,
            limit=42,
            close_timeout=43,
            stall_timeout=44,
            stall_grace=45,
            cut_patience=46,
            settle_hold=47,
        ),
        coalesce=CoalescePolicy(target=0.1, behind=0.2, linger=0.3, in_flight=0.4),
        memory=MemoryPolicy(held=3 << 20, fetch=2 << 20, tight_share=0.5),
        retry=RetryPolicy(
            attempts=9,
            alive=8,
            stuck=7,
            backoff=BackoffPolicy(initial=1, factor=3, maximum=5, jitter=0),
        ),
        sequence=SequencePolicy(window=10, fill=True, fill_limit=3),
    )


def test_other_policies_take_every_value(build: Build) -> None:
    """Each setting of the service lands in its own place of its policy."""
    settings = build(
        CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS="5",
        CONSUMER_FLOW__PARTITION_HIGH_BYTES="2KiB",
        CONSUMER_FLOW__PARTITION_LOW_BYTES="1024",
        CONSUMER_FLOW__PROCESS_HIGH_BYTES="4KiB",
        CONSUMER_FLOW__PROCESS_LOW_BYTES="3KiB",
        CONSUMER_FLOW__UNSETTLED_RECORDS="6",
        CONSUMER_FLOW__DEAD_LETTERS_IN_A_ROW="5",
        CONSUMER_BREAKER__SESSIONS="8",
        CONSUMER_BREAKER__POISONED_SESSIONS="7",
        CONSUMER_BREAKER__POISONED_SHARE="0.6",
        CONSUMER_BREAKER__WINDOW_SECONDS="50",
        CONSUMER_BREAKER__INITIAL_SECONDS="4",
        CONSUMER_BREAKER__MAXIMUM_SECONDS="40",
        CONSUMER_COMMIT__INTERVAL_SECONDS="2",
        CONSUMER_COMMIT__POLL_SECONDS="0.3",
        CONSUMER_COMMIT__REVOKE_SECONDS="4",
        CONSUMER_SHUTDOWN__TIMEOUT_SECONDS="5",
        CONSUMER_SHUTDOWN__MODE="drain",
    )
    assert settings.idle_policy() == IdlePolicy(timeout=5)
    assert settings.flow_policy() == FlowPolicy(
        partition_high=2048,
        partition_low=1024,
        process_high=4096,
        process_low=3072,
        unsettled=6,
        dead_letters=5,
    )
    assert settings.breaker_policy() == BreakerPolicy(
        sessions=8,
        poisoned=7,
        poisoned_share=0.6,
        window=50,
        backoff=BackoffPolicy(initial=4, maximum=40),
    )
    assert settings.commit_policy() == CommitPolicy(
        interval=2, poll=0.3, revoke=4, shutdown=5, drain=True
    )


def test_chunk_defaults_take_every_value(build: Build) -> None:
    """The defaults of the message contract are settings."""
    defaults = build(
        CONSUMER_AUDIO__CONTENT_TYPE="json",
        CONSUMER_AUDIO__ENCODING="pcm_alaw",
        CONSUMER_AUDIO__SAMPLE_RATE_HERTZ="8000",
        CONSUMER_AUDIO__CHANNELS="2",
        CONSUMER_AUDIO__CHANNEL="1",
        CONSUMER_API__LEVEL="segment",
    ).chunk_defaults()
    assert defaults.format == AudioFormat(Encoding.PCM_ALAW, Hertz(8000), 2, 1)
    assert defaults.level is LevelChoice.SEGMENT
    assert defaults.content is ContentType.JSON


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CONSUMER_API__TARGET", "https://example.org", "must be HOST:PORT, without http://"),
        ("CONSUMER_API__TARGET", "example.org:0", "must be HOST:PORT"),
        ("CONSUMER_API__TARGET", "example.org:70000", "must be HOST:PORT"),
        ("CONSUMER_API__TARGET", None, "is required"),
        ("CONSUMER_API__CID", None, "is required"),
        ("CONSUMER_API__CID", "seven", "must be a whole number"),
        ("CONSUMER_API__CID", "0", "must be greater than or equal to 1"),
        ("CONSUMER_API__TOKEN", None, "is required; set it, or CONSUMER_API__TOKEN_FILE"),
        ("CONSUMER_API__TOKEN", "", "is required; set it, or CONSUMER_API__TOKEN_FILE"),
        ("CONSUMER_API__LEVEL", "word", "must be 'segment', 'utterance' or 'all'"),
        ("CONSUMER_API__METHOD", "Guess", "must be 'DeepfakeDetection' or 'StreamAudio'"),
        ("CONSUMER_API__TLS", "perhaps", "must be true or false"),
        ("CONSUMER_API__CA_FILE", "/nowhere/ca.pem", "there is no such file"),
        ("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", None, "is required"),
        ("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "a:1,b", "must be HOST:PORT, or several"),
        ("CONSUMER_KAFKA__INPUT_TOPIC", "call audio", "may have letters, digits"),
        ("CONSUMER_KAFKA__SECURITY_PROTOCOL", "TLS", "must be 'PLAINTEXT', 'SSL'"),
        ("CONSUMER_KAFKA__HEARTBEAT_SECONDS", "15", "at most a third of the session timeout"),
        ("CONSUMER_KAFKA__RESULTS_TOPIC", "call-audio", "is the name of the input topic too"),
        ("CONSUMER_KAFKA__CHECKPOINTS_TOPIC", "call-audio", "is the name of the input topic too"),
        ("CONSUMER_KAFKA__CHECKPOINTS_TOPIC", "a b", "may have letters, digits"),
        ("CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS", "0", "must be greater than or equal to 1"),
        ("CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS", "901", "must be less than or equal to 900"),
        ("CONSUMER_DELIVERY", "twice", "must be 'at_least_once' or 'exactly_once'"),
        ("CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS", "0", "must be greater than 0"),
        ("CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS", "inf", "must be a finite number"),
        ("CONSUMER_SESSION__HELD_BYTES", "much", "must be a size"),
        ("CONSUMER_AUDIO__CHANNEL", "1", "must be below CONSUMER_AUDIO__CHANNELS"),
        ("CONSUMER_AUDIO__ENCODING", "mp3", "must be 'pcm_s16le', 'pcm_s16be'"),
        ("CONSUMER_MESSAGE__BEHIND_SECONDS", "0.1", "not be below CONSUMER_MESSAGE__TARGET"),
        ("CONSUMER_MESSAGE__IN_FLIGHT_SECONDS", "0.3", "not be below CONSUMER_MESSAGE__BEHIND"),
        ("CONSUMER_FLOW__PARTITION_LOW_BYTES", "9MiB", "not be above CONSUMER_FLOW__PARTITION"),
        ("CONSUMER_FLOW__PROCESS_LOW_BYTES", "9GiB", "not be above CONSUMER_FLOW__PROCESS_HIGH"),
        ("CONSUMER_RETRY__MAXIMUM_SECONDS", "0.1", "not be below CONSUMER_RETRY__INITIAL"),
        ("CONSUMER_BREAKER__MAXIMUM_SECONDS", "0.1", "not be below CONSUMER_BREAKER__INITIAL"),
        ("CONSUMER_COMMIT__REVOKE_SECONDS", "60", "must be below CONSUMER_KAFKA__REBALANCE"),
        ("CONSUMER_SHUTDOWN__MODE", "slow", "must be 'handoff' or 'drain'"),
        ("CONSUMER_ADMIN__LISTEN", "8080", "must be HOST:PORT; 0.0.0.0 listens"),
        ("CONSUMER_LOG__LEVEL", "chatty", "must be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_mistake_is_told(build: Build, variable: str, value: str | None, says: str) -> None:
    """A wrong or missing value names its variable and says what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        build(**{variable: value})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{variable}: ")
    assert says in line


def test_checkpoints_belong_to_a_group_and_its_input(build: Build) -> None:
    """Two groups, or one group's two inputs, never share checkpoints unless someone says so."""
    kafka = build(CONSUMER_KAFKA__GROUP_ID="ours", CONSUMER_KAFKA__INPUT_TOPIC="calls").kafka
    assert kafka.checkpoints == "ours-calls-checkpoints"
    assert build(CONSUMER_KAFKA__CHECKPOINTS_TOPIC="states").kafka.checkpoints == "states"


def test_groups_with_strange_names_must_name_their_checkpoints(build: Build) -> None:
    """A group may be called what no topic may be called; then its checkpoints need a name."""
    strange = "team/fraud detection"
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_KAFKA__CHECKPOINTS_TOPIC: is needed"):
        build(CONSUMER_KAFKA__GROUP_ID=strange)
    kafka = build(CONSUMER_KAFKA__CHECKPOINTS_TOPIC="states").kafka
    assert (kafka.group_id, kafka.checkpoints) == (strange, "states")


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS", "20", "must be below CONSUMER_KAFKA__SESS"),
        ("CONSUMER_COMMIT__INTERVAL_SECONDS", "5.1", "must be at most a third of"),
    ],
)
def test_transactions_must_fit(build: Build, variable: str, value: str, says: str) -> None:
    """Exactly once needs transactions that end before their owner, and commits before them."""
    assert build(CONSUMER_DELIVERY="exactly_once").delivery == "exactly_once"
    with pytest.raises(ConfigurationError, match=f"^{variable}: {says}"):
        build(**{variable: value})
    build(**{"CONSUMER_DELIVERY": "at_least_once", variable: value})


def test_all_mistakes_at_once(build: Build) -> None:
    """Several mistakes make one message with a line for each."""
    with pytest.raises(ConfigurationError) as caught:
        build(
            CONSUMER_API__TARGET=None,
            CONSUMER_API__CID="x",
            CONSUMER_API__TOKEN=None,
            CONSUMER_KAFKA__INPUT_TOPIK="calls",
        )
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "CONSUMER_KAFKA__INPUT_TOPIK",
        "CONSUMER_API__TARGET",
        "CONSUMER_API__CID",
        "CONSUMER_API__TOKEN",
    ]
    assert lines[0].endswith("did you mean CONSUMER_KAFKA__INPUT_TOPIC?")


@pytest.mark.parametrize(
    "variables",
    [
        {"CONSUMER_API__TOKEN__X": "s3cret-value"},
        {"CONSUMER_API__CID": "s3cret-value"},
        {"CONSUMER_API__TOKENN": "s3cret-value"},
        {"CONSUMER_API": '{"token": "s3cret-value"'},
        {"CONSUMER_KAFKA__SASL_PASSWORD": "s3cret-value", "CONSUMER_API__LEVEL": "x"},
    ],
)
def test_secret_never_shows(build: Build, variables: dict[str, str]) -> None:
    """No message repeats a value, since it may be a secret in the wrong place."""
    with pytest.raises(ConfigurationError) as caught:
        build(CONSUMER_API__TOKEN="s3cret-value", **variables) if (
            "CONSUMER_API__TOKEN" not in variables
        ) else build(**variables)
    assert "s3cret-value" not in str(caught.value)
    assert "s3cret-value" not in str(caught.value.__cause__)


def test_secret_is_not_in_the_repr(build: Build) -> None:
    """Settings may be printed by accident without telling the token."""
    settings = build(CONSUMER_API__TOKEN="s3cret-value")
    assert "s3cret-value" not in repr(settings)


def test_token_may_live_in_a_file(build: Build, tmp_path: Path) -> None:
    """A mounted token is read when it is asked for, so that a new one is seen."""
    path = tmp_path / "token"
    path.write_text("first\n")
    settings = build(CONSUMER_API__TOKEN=None, CONSUMER_API__TOKEN_FILE=str(path))
    assert settings.api.access_token() == "first"
    path.write_text("second\n")
    assert settings.api.access_token() == "second"


def test_token_and_file_exclude_each_other(build: Build, tmp_path: Path) -> None:
    """Two sources of the token are a mistake, since one of them is stale."""
    path = tmp_path / "token"
    path.write_text("first")
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_API__TOKEN: set this or .*, not both"):
        build(CONSUMER_API__TOKEN_FILE=str(path))


def test_missing_token_file_is_told_once(build: Build) -> None:
    """A wrong path is reported as such, not as a missing token too."""
    with pytest.raises(ConfigurationError) as caught:
        build(CONSUMER_API__TOKEN=None, CONSUMER_API__TOKEN_FILE="/nowhere/token")
    assert str(caught.value) == "CONSUMER_API__TOKEN_FILE: there is no such file"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_unusable_token_file_names_its_variable(
    build: Build, tmp_path: Path, content: bytes
) -> None:
    """An empty or unreadable secret is the operator's mistake, found when it is asked for."""
    path = tmp_path / "token"
    path.write_bytes(content)
    settings = build(CONSUMER_API__TOKEN=None, CONSUMER_API__TOKEN_FILE=str(path))
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_API__TOKEN_FILE: "):
        settings.api.access_token()


def test_vanished_token_file_names_its_variable(build: Build, tmp_path: Path) -> None:
    """A secret that was unmounted later is told like any other."""
    path = tmp_path / "token"
    path.write_text("first")
    settings = build(CONSUMER_API__TOKEN=None, CONSUMER_API__TOKEN_FILE=str(path))
    path.unlink()
    with pytest.raises(ConfigurationError, match="can't read"):
        settings.api.access_token()


def test_sasl_needs_user_and_password(build: Build, tmp_path: Path) -> None:
    """A login is whole or a mistake; the password may come from a file."""
    with pytest.raises(ConfigurationError, match="CONSUMER_KAFKA__SASL_USERNAME: is needed"):
        build(CONSUMER_KAFKA__SECURITY_PROTOCOL="SASL_SSL")
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_KAFKA__SASL_PASSWORD: this or"):
        build(CONSUMER_KAFKA__SASL_USERNAME="ann")
    path = tmp_path / "password"
    path.write_text("pass\n")
    kafka = build(CONSUMER_KAFKA__SASL_PASSWORD_FILE=str(path)).kafka
    assert (kafka.mechanism(), kafka.password()) == ("SCRAM-SHA-512", "pass")
    assert kafka.uses_sasl
    assert kafka.uses_tls
    with pytest.raises(ConfigurationError, match="not both"):
        build(CONSUMER_KAFKA__SASL_PASSWORD="pass")


def test_client_certificate_needs_its_key(build: Build, tmp_path: Path) -> None:
    """A certificate without its key is told with the variable that is missing."""
    path = tmp_path / "client.pem"
    path.write_text("")
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_KAFKA__SSL_KEY_FILE: "):
        build(CONSUMER_KAFKA__SSL_CERT_FILE=str(path))
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_KAFKA__SSL_CERT_FILE: "):
        build(CONSUMER_KAFKA__SSL_CERT_FILE=None, CONSUMER_KAFKA__SSL_KEY_FILE=str(path))


def test_password_without_sasl_is_kept(build: Build) -> None:
    """A plain connection has no password, and needs none."""
    kafka = build().kafka
    assert kafka.password() is None
    assert not kafka.uses_sasl
    assert not kafka.uses_tls


def test_addresses_are_taken_apart(build: Build) -> None:
    """Spaces between brokers are dropped; an IPv6 address loses its brackets."""
    settings = build(
        CONSUMER_KAFKA__BOOTSTRAP_SERVERS="a:1, [::1]:2", CONSUMER_ADMIN__LISTEN="[::1]:0"
    )
    assert settings.kafka.bootstrap_servers == "a:1,[::1]:2"
    assert settings.admin.address == ("::1", 0)


def test_settings_are_frozen(build: Build) -> None:
    """Nothing changes after it was read."""
    settings = build()
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka.group_id = "other"
