"""Where settings come from: the environment, an env file and a TOML file.

The order of precedence is: environment, env file, TOML file, defaults. The two files are named by
CONSUMER_ENV_FILE and CONSUMER_CONFIG, or by options of the command line, which win.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SettingsError

from consumer.errors import ConfigurationError
from consumer.settings.complaint import complaints, unknown
from consumer.settings.field import settings_of, variable
from consumer.settings.settings import PREFIX, Settings, Sources

ENV_FILE = f"{PREFIX}ENV_FILE"
CONFIG = f"{PREFIX}CONFIG"

S = TypeVar("S", bound=Sources)

# Kubernetes gives every pod such variables for each service of its namespace; a service called
# `consumer` or `consumer-...` would otherwise stop us.
_SERVICE_LINK = re.compile(r".*_SERVICE_(HOST|PORT(_.+)?)|.*_PORT_\d+_(TCP|UDP|SCTP)(_.+)?")
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://.*")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was found, before any of it is believed.

    environment and env_file: variables with our prefix, by upper-case name. table: the TOML file
    as it was read. The paths are None without such a file.
    """

    environment: Mapping[str, str]
    env_file: Mapping[str, str]
    table: Mapping[str, Any]
    env_path: Path | None
    config_path: Path | None

    def build(self, kind: type[S]) -> S:
        """The settings. Raises ConfigurationError that tells everything that is wrong."""
        strange = list(self._unknown())
        groups: dict[str, Any] = {
            name: {} for name, info in kind.model_fields.items() if info.is_required()
        }
        try:
            settings = kind(
                _env_file=self.env_path,  # type: ignore[call-arg] # BaseSettings' own argument
                **{**groups, **self.table},
            )
        except ValidationError as error:
            raise _failure([*strange, *complaints(kind, error, self.origin)]) from error
        except SettingsError as error:  # a whole group as one variable, which is told as unknown
            raise _failure(strange) from error
        if strange:
            raise _failure(strange)
        return settings

    def origin(self, path: tuple[str, ...]) -> str:
        """Where the value of a setting comes from."""
        name = variable(path)
        if name in self.environment:
            return "environment"
        if name in self.env_file:
            return str(self.env_path)
        value: Any = self.table
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return "default" if value is None else str(self.config_path)

    def _unknown(self) -> Iterator[str]:
        fields = list(settings_of(Settings))
        known = {field.variable for field in fields} | {ENV_FILE, CONFIG}
        yield from unknown(self.environment, known, "")
        yield from unknown(self.env_file, known, f" in {self.env_path}")
        keys = {".".join(field.path) for field in fields}
        yield from unknown(_keys(self.table), keys, f" in {self.config_path}")


def read_inputs(env_file: Path | None = None, config: Path | None = None) -> Inputs:
    """Everything that could set something. Raises ConfigurationError for files it can't read."""
    environment = dict(_ours(EnvSettingsSource(Sources).env_vars))
    env_path = _path(env_file, environment, ENV_FILE)
    config_path = _path(config, environment, CONFIG)
    variables = dict(_ours(_env_file(env_path))) if env_path else {}
    table = _toml(config_path) if config_path else {}
    return Inputs(environment, variables, table, env_path, config_path)


def _ours(variables: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        upper = name.upper()
        linked = _SERVICE_LINK.fullmatch(upper) or (value and _LINK_VALUE.fullmatch(value))
        if upper.startswith(PREFIX) and value and not linked:
            yield upper, value


def _path(option: Path | None, environment: Mapping[str, str], name: str) -> Path | None:
    path = option or (Path(environment[name]) if name in environment else None)
    if path is not None and not path.is_file():
        raise ConfigurationError(f"there is no file {path}", None if option else name)
    return path


def _env_file(path: Path) -> Mapping[str, str | None]:
    try:
        return DotEnvSettingsSource(Sources, env_file=path).env_vars
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"can't read {path} as an env file", ENV_FILE) from error


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"can't read {path}", CONFIG) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}", CONFIG) from error


def _keys(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _keys(value, (*path, name))
        else:
            yield ".".join((*path, name))


def _failure(lines: list[str]) -> ConfigurationError:
    return ConfigurationError("\n".join(dict.fromkeys(lines)))
