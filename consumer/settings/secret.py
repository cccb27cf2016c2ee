"""Secrets that live in files, as orchestrators mount them."""

from pathlib import Path

from consumer.errors import ConfigurationError


def read_secret(path: Path, variable: str) -> str:
    """The secret in a file, without the line break at its end. Raises ConfigurationError.

    variable: the setting that named the file; the file's content never shows in an error.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"can't read {path}: {error.strerror}", variable) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not text", variable) from None  # it quotes the bytes
    if not secret:
        raise ConfigurationError(f"{path} is empty", variable)
    return secret
