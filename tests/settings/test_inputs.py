"""Where settings come from, and which source wins."""

from pathlib import Path

import pytest

from consumer.errors import ConfigurationError
from consumer.settings.inputs import read_inputs
from consumer.settings.settings import Settings, TopicSettings
from tests.settings.conftest import REQUIRED, Build


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / "consumer.env"
    path.write_text(
        "CONSUMER_KAFKA__GROUP_ID=env-file\nCONSUMER_KAFKA__CLIENT_ID=env-file\nPATH=x\n"
    )
    return path


@pytest.fixture
def toml_file(tmp_path: Path) -> Path:
    path = tmp_path / "consumer.toml"
    path.write_text(
        '[kafka]\ngroup_id = "toml"\nclient_id = "toml"\ninput_topic = "toml"\nstart = "latest"\n'
    )
    return path


@pytest.mark.usefixtures("required")
def test_order_of_precedence(
    env_file: Path, toml_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment wins over the env file, that over the TOML file, that over defaults."""
    monkeypatch.setenv("CONSUMER_KAFKA__GROUP_ID", "environment")
    inputs = read_inputs(env_file, toml_file)
    kafka = inputs.build(Settings).kafka
    assert (kafka.group_id, kafka.client_id) == ("environment", "env-file")
    assert (kafka.input_topic, kafka.results_topic) == ("toml", "detection-results")
    assert inputs.origin(("kafka", "group_id")) == "environment"
    assert inputs.origin(("kafka", "client_id")) == str(env_file)
    assert inputs.origin(("kafka", "input_topic")) == str(toml_file)
    assert inputs.origin(("kafka", "results_topic")) == "default"
    assert inputs.origin(("api", "level")) == "default"


@pytest.mark.usefixtures("required")
def test_files_named_by_variables(
    env_file: Path, toml_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two files may be named by the environment instead of options."""
    monkeypatch.setenv("CONSUMER_ENV_FILE", str(env_file))
    monkeypatch.setenv("CONSUMER_CONFIG", str(toml_file))
    kafka = read_inputs().build(Settings).kafka
    assert (kafka.group_id, kafka.input_topic) == ("env-file", "toml")


def test_everything_may_come_from_one_file(tmp_path: Path) -> None:
    """A TOML file alone can set the service up, secrets included."""
    path = tmp_path / "all.toml"
    path.write_text(
        'delivery = "at_least_once"\n[kafka]\nbootstrap_servers = "a:1"\n'
        '[api]\ntarget = "b:2"\ncid = 3\ntoken = "hush"\n[session]\nheld_bytes = "2MiB"\n'
    )
    settings = read_inputs(config=path).build(Settings)
    assert settings.api.access_token() == "hush"
    assert settings.session.held_bytes == 2 << 20


@pytest.mark.parametrize("variable", ["CONSUMER_ENV_FILE", "CONSUMER_CONFIG"])
def test_missing_file_names_its_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path to nothing is a mistake, not an empty file."""
    monkeypatch.setenv(variable, "/nowhere/file")
    with pytest.raises(ConfigurationError, match=f"^{variable}: there is no file /nowhere/file$"):
        read_inputs()


def test_missing_file_of_an_option_is_told_without_variable() -> None:
    """Who gave the path as an option isn't sent to a variable."""
    with pytest.raises(ConfigurationError, match=r"^there is no file /nowhere/file$"):
        read_inputs(config=Path("/nowhere/file"))


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    """A syntax error says where it is."""
    path = tmp_path / "broken.toml"
    path.write_text("[kafka\n")
    with pytest.raises(ConfigurationError, match=r"is not TOML: .*line 1"):
        read_inputs(config=path)


def test_binary_files_are_told(tmp_path: Path) -> None:
    """Files that aren't text are refused in words."""
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="CONSUMER_CONFIG: can't read"):
        read_inputs(config=path)
    with pytest.raises(ConfigurationError, match="CONSUMER_ENV_FILE: can't read"):
        read_inputs(env_file=path)


@pytest.mark.usefixtures("required")
def test_unknown_names_in_files_are_told_with_their_file(tmp_path: Path) -> None:
    """A misspelt name is told where it stands, with the one that may be meant."""
    env_file, toml_file = tmp_path / "x.env", tmp_path / "x.toml"
    env_file.write_text("CONSUMER_KAFKA__GROUPID=1\nOTHER=1\n")
    toml_file.write_text('delivry = 1\n[kafka]\ngroupid = "1"\n[KAFKA]\ngroup_id = "1"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_inputs(env_file, toml_file).build(Settings)
    assert str(caught.value).splitlines() == [
        (
            f"CONSUMER_KAFKA__GROUPID: there is no such setting in {env_file}; "
            "did you mean CONSUMER_KAFKA__GROUP_ID?"
        ),
        f"delivry: there is no such setting in {toml_file}; did you mean delivery?",
        f"kafka.groupid: there is no such setting in {toml_file}; did you mean kafka.group_id?",
        f"KAFKA.group_id: there is no such setting in {toml_file}; did you mean kafka.group_id?",
    ]


@pytest.mark.usefixtures("required")
def test_wrong_value_in_a_file_names_the_file(tmp_path: Path) -> None:
    """A person is sent to the file that holds the mistake."""
    path = tmp_path / "x.toml"
    path.write_text('[session]\nidle_timeout_seconds = "soon"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_inputs(config=path).build(Settings)
    expected = f"CONSUMER_SESSION__IDLE_TIMEOUT_SECONDS in {path}: must be a number"
    assert str(caught.value).startswith(expected)


def test_kubernetes_service_links_are_no_settings(build: Build) -> None:
    """A service called `consumer` in the namespace puts such variables into every pod."""
    settings = build(
        CONSUMER_SERVICE_HOST="10.0.0.7",
        CONSUMER_SERVICE_PORT="8080",
        CONSUMER_SERVICE_PORT_HTTP="8080",
        CONSUMER_PORT="tcp://10.0.0.7:8080",
        CONSUMER_PORT_8080_TCP="tcp://10.0.0.7:8080",
        CONSUMER_PORT_8080_TCP_ADDR="10.0.0.7",
        CONSUMER_ADMIN_PORT="tcp://10.0.0.8:8080",
    )
    assert settings.admin.listen == "0.0.0.0:8080"


def test_unknown_variable_alone_is_a_mistake(build: Build) -> None:
    """A misspelt optional setting would be ignored in silence otherwise."""
    with pytest.raises(ConfigurationError, match=r"^CONSUMER_SESION__IDLE_TIMEOUT_SECONDS: "):
        build(CONSUMER_SESION__IDLE_TIMEOUT_SECONDS="5")


def test_names_of_any_case(build: Build) -> None:
    """Lower-case variables count, and an empty value counts as none."""
    settings = build(consumer_kafka__group_id="low", CONSUMER_KAFKA__CLIENT_ID="")
    assert (settings.kafka.group_id, settings.kafka.client_id) == ("low", "detection-consumer")


def test_topics_need_no_api(monkeypatch: pytest.MonkeyPatch, toml_file: Path) -> None:
    """Tools that only touch topics don't ask for credentials, but know all names."""
    monkeypatch.setenv("CONSUMER_KAFKA__BOOTSTRAP_SERVERS", "a:1")
    monkeypatch.setenv("CONSUMER_API__LEVEL", "all")
    settings = read_inputs(config=toml_file).build(TopicSettings)
    assert settings.kafka.input_topic == "toml"


def test_a_group_is_no_value(tmp_path: Path) -> None:
    """A group given as a value, or as JSON, is refused in words."""
    path = tmp_path / "x.toml"
    path.write_text('kafka = "a:1"\n')
    with pytest.raises(ConfigurationError, match="kafka: there is no such setting"):
        read_inputs(config=path).build(TopicSettings)
