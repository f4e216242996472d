"""A web server on this machine that plays other people's systems, and misbehaves on demand."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Role = Callable[[Request], Answer | None]
Serve = Callable[[Request], Answer]
Fault = Callable[["Standin", BaseHTTPRequestHandler, Request, Serve], Answer | None]
"""Gives another answer, or has sent (or not sent) something itself and gives none."""


class Standin:
    """The first role that has an answer gives it; faults come before."""

    def __init__(self, *roles: Role) -> None:
        self.roles = list(roles)
        self.requests: list[Request] = []
        self.stopped = threading.Event()
        self._faults: list[tuple[str, Fault, int]] = []
        self._lock = threading.Lock()
        self.url = ""

    def misbehave(self, begin: str, fault: Fault, times: int = 1_000_000) -> None:
        """Let requests whose line begins like this go wrong."""
        self._faults.append((begin, fault, times))

    def behave(self) -> None:
        self._faults.clear()

    def fault_for(self, request: Request) -> Fault | None:
        with self._lock:
            for index, (begin, fault, times) in enumerate(self._faults):
                if request.line.startswith(begin) and times > 0:
                    self._faults[index] = (begin, fault, times - 1)
                    return fault
        return None

    def serve(self, request: Request) -> Answer:
        with self._lock:
            for role in self.roles:
                answer = role(request)
                if answer is not None:
                    return answer
        return Answer(404)

    def lines(self, begin: str = "") -> list[str]:
        return [one.line for one in self.requests if one.line.startswith(begin)]


@contextmanager
def running(*roles: Role, tls: ssl.SSLContext | None = None) -> Iterator[Standin]:
    standin = Standin(*roles)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def _any(self) -> None:
            self.close_connection = True
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            request = Request(self.command, parts.path, query, headers, body)
            standin.requests.append(request)
            if "transfer-encoding" in headers:
                send(self, Answer(411))
                return
            fault = standin.fault_for(request)
            if fault is None:
                send(self, standin.serve(request))
            elif (answer := fault(standin, self, request, standin.serve)) is not None:
                send(self, answer)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        standin.url = standin.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield standin
    finally:
        standin.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(answer.body)


# -- what can go wrong ------------------------------------------------------------------------


def down(_: Standin, handler: BaseHTTPRequestHandler, *__: object) -> None:
    """Hang up."""
    handler.connection.close()


def slow(standin: Standin, *_: object) -> None:
    """Say nothing, for long."""
    standin.stopped.wait(3)


def drip(standin: Standin, handler: BaseHTTPRequestHandler, *_: object) -> None:
    """Never finish the body, but never stop either."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    _drops(standin, handler, b"x")


def drip_headers(standin: Standin, handler: BaseHTTPRequestHandler, *_: object) -> None:
    """Never finish the headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _drops(standin, handler, b"x: y\r\n")


def _drops(standin: Standin, handler: BaseHTTPRequestHandler, drop: bytes) -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end and not standin.stopped.wait(0.02):
        handler.wfile.write(drop)
        handler.wfile.flush()


def instead(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Do nothing, but answer this."""

    def fault(*_: object) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(status, body, named)

    return fault


def afterwards(status: int) -> Fault:
    """Do it, but answer this."""

    def fault(_: Standin, __: object, request: Request, serve: Serve) -> Answer:
        serve(request)
        return Answer(status)

    return fault
