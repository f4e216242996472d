"""What was just done, for the page that tells of it: in memory only, and not for long.

A form is answered with an address, so that to load the page again does nothing again. What the
page says that cannot be looked up lies here meanwhile, for the session that did it. After a
restart it is gone, and the pages say what they can without it.
"""

import secrets
import threading
import time
from collections.abc import Callable

MINUTES = 10
"""How long it can be looked at."""


class Aside:
    """Things put aside.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._things: dict[tuple[str, str], tuple[float, object]] = {}

    def put(self, session: str, thing: object) -> str:
        """Put something aside; returns by what the session, and no other, finds it again."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._sweep()
            self._things[session, key] = (self._seconds() + MINUTES * 60, thing)
        return key

    def get(self, session: str, key: str) -> object | None:
        """It; None if it is not there any more."""
        with self._lock:
            self._sweep()
            return self._things.get((session, key), (0.0, None))[1]

    def take(self, session: str, key: str) -> object | None:
        """The same, once."""
        with self._lock:
            self._sweep()
            return self._things.pop((session, key), (0.0, None))[1]

    def _sweep(self) -> None:
        now = self._seconds()
        self._things = {key: kept for key, kept in self._things.items() if kept[0] > now}
