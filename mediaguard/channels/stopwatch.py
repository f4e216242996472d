"""A limit to the time that a whole HTTP call may take."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any, Self


class Stopwatch:
    """Cuts the connection when time is up.

    The timeouts of httpx begin anew with every byte; only this ends an answer that drips.

    Args:
        seconds: until then.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def notice(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn which connection it is: httpx tells it as it makes one, plain and then with TLS."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.expired:
                self._cut()

    def _expire(self) -> None:
        self.expired = True
        self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not its own method: that of a TLS socket would disturb the thread that reads it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
