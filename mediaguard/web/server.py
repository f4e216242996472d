"""`mediaguard serve`: the API, the worker and the callbacks in one process."""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mediaguard.app import App
from mediaguard.config import Web
from mediaguard.errors import ConfigError
from mediaguard.web.api import Running, make_api
from mediaguard.web.callbacks import Callbacks
from mediaguard.web.fetching import Fetcher
from mediaguard.web.senders import Gate
from mediaguard.work import Worker

HEAD = 10.0
"""Seconds in which the head of a request has to come."""

IDLE = 5
"""Seconds that a connection is kept for a further request."""

GRACEFUL = 10
"""Seconds that requests have to end when the process is to stop."""

PATIENCE = 3
"""Seconds that a callback under way has to end then; it is told again otherwise."""

CONNECTIONS = 250


class Server:
    """Serves a home.

    Args:
        app: the home.
        port: another than that of the configuration; 0 for any that is free.
        tell: prints a line for whoever watches.
        fetcher: for media by reference.

    Raises:
        ConfigError: the address cannot be used, others could listen in there, or a secret cannot
            be read.
    """

    def __init__(
        self,
        app: App,
        *,
        port: int | None = None,
        tell: Callable[[str], None],
        fetcher: Fetcher | None = None,
    ) -> None:
        settings = app.config.web
        _require_private(settings)
        self._tls = settings.tls_certificate is not None
        self._worker = Worker(app, tell)
        self._stop = threading.Event()
        self._idle = False
        self._threads = [threading.Thread(target=self._work, name="worker", daemon=True)]
        gate = Gate(settings, app.home, app.work)
        self._threads += Callbacks(app, [*gate.senders.values()]).threads(self._stop)
        running = Running(self._stop, self._failing, lambda: self._worker.swept_at)
        api = make_api(
            app, running=running, fetcher=fetcher, documented=_is_loopback(settings.host)
        )
        self._socket = _listening(settings.host, settings.port if port is None else port)
        app.served_at = self.address
        self._uvicorn = uvicorn.Server(
            _checked(
                api,
                http=_Patient,
                ws="none",
                lifespan="on",
                server_header=False,
                proxy_headers=False,
                access_log=False,
                log_config=None,
                log_level="warning",
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=GRACEFUL,
                limit_concurrency=CONNECTIONS,
                ssl_certfile=_beside(app, settings.tls_certificate),
                ssl_keyfile=_beside(app, settings.tls_key),
            )
        )

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if self._tls else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def run(self, stop: threading.Event) -> bool:
        """Serve until `stop` is set; what is in hand then is finished, or taken up again later.

        Returns:
            Whether nothing is in hand any more; as `Worker.run`.

        Raises:
            RuntimeError: it ended by itself.
        """
        serving = threading.Thread(target=self._serve, name="serving", daemon=True)
        for thread in (*self._threads, serving):
            thread.start()
        try:
            while not stop.wait(0.5) and serving.is_alive():
                pass
        finally:
            self._stop.set()
            self._uvicorn.should_exit = True
            serving.join()
            self._threads[0].join()
            for thread in self._threads[1:]:
                thread.join(PATIENCE)
            self._socket.close()
        if not stop.is_set():
            raise RuntimeError("the server ended by itself")
        return self._idle and not any(thread.is_alive() for thread in self._threads)

    def _serve(self) -> None:
        # Not in the main thread: uvicorn would take the signals for itself.
        self._uvicorn.run(sockets=[self._socket])

    def _work(self) -> None:
        self._idle = self._worker.run(self._stop)

    def _failing(self) -> Sequence[str]:
        names = {t.name.partition("-")[0] for t in self._threads if not t.is_alive()}
        return sorted(names)


class _Patient(H11Protocol):
    """With limits that uvicorn has not.

    To the time in which the head of a request comes, and in which the rest of a body comes that was
    answered already.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._forget_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:  # answered before all of it came
            self.loop.call_later(IDLE, self._stop_listening, self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _stop_listening(self, answered: object) -> None:
        if self.cycle is answered and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _expect_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD, self._too_slow)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _too_slow(self) -> None:
        self._head = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def _require_private(settings: Web) -> None:
    """Refuse to be where others could listen in.

    Raises:
        ConfigError: there is no TLS, by us or by a web server before us.
    """
    protected = settings.address is not None or settings.tls_certificate is not None
    if not protected and not _is_loopback(settings.host):
        raise ConfigError("web-exposed", host=settings.host)


def _beside(app: App, path: str | None) -> Path | None:
    return None if path is None else app.home / path


def _checked(api: Any, **settings: Any) -> uvicorn.Config:
    """The settings of uvicorn, with a certificate that was read."""
    config = uvicorn.Config(api, **settings)
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            "web-tls", certificate=config.ssl_certfile, detail=error.strerror or "?"
        ) from None
    return config


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        raise ConfigError("web-address", host=host, port=port, detail=_why_not(error)) from error


def _why_not(error: Exception) -> str | ConfigError:
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    if error.errno == errno.EADDRINUSE:
        return ConfigError("web-address-used")
    # Without the address, which Python adds to it once more; a resolver has errors of its own.
    known = error.errno in errno.errorcode
    return os.strerror(error.errno) if known else error.strerror or str(error)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
