"""Names of people, from the school's own list: shown, never stored."""

import threading

from mediaguard.app import App
from mediaguard.errors import ConfigError
from mediaguard.namelist import read_names


class KnownNames:
    """The list as it is now; read again when the file changes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._names: dict[str, str] = {}
        self._first: dict[str, str] = {}

    def all(self) -> dict[str, str]:
        """Names by pseudonym; empty if there is no list or it cannot be used.

        That a list is broken is said where names matter (texts): here pseudonyms will do.
        """
        setting = self._app.config.names
        if setting is None:
            return {}
        path = self._app.home / setting
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            with self._lock:
                if stamp != self._stamp:
                    listed = read_names(path)
                    self._names = {
                        name.subject_id: f"{name.first} {name.last}".strip() for name in listed
                    }
                    self._first = {name.subject_id: name.first.strip() for name in listed}
                    self._stamp = stamp
                return self._names
        except (OSError, ConfigError):
            return {}

    def first(self, subject_id: str) -> str | None:
        """A first name; None if it is not in the list."""
        return (self._first.get(subject_id) or None) if self.all() else None
