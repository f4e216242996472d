"""Secrets: the configuration only says where one is found."""

import os
import stat
from pathlib import Path

from mediaguard.errors import ConfigError

_LARGEST = 10_000


def read_secret(reference: str, home: Path) -> str:
    """The secret that ``env:NAME`` or ``file:PATH`` (relative to the home) points at.

    Raises:
        ConfigError: it is not there, it is empty, or other users may read the file.
    """
    kind, _, place = reference.partition(":")
    secret = os.environ.get(place, "") if kind == "env" else _from_file(home / place, reference)
    if not secret.strip():
        raise ConfigError("secret-missing", reference=reference)
    return secret.strip()


def _from_file(path: Path, reference: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError("secret-exposed", path=path)
            return file.read(_LARGEST)
    except (OSError, UnicodeDecodeError):
        raise ConfigError("secret-missing", reference=reference) from None
