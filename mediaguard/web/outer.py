"""Around the whole API: headers that every answer has, and how long it took."""

import logging
import time
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaguard.web.problems import as_problem, language_of, respond

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Count = Callable[[str, str, int, float], None]
"""Takes method, route, status and seconds of a request."""

TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
"""Where there is a public address: it is found over TLS only."""

log = logging.getLogger(__name__)

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Outer:
    """Wraps the API.

    Args:
        api: what answers.
        count: is told of each request.
        language: of answers where the caller asks for none.
        tls_only: browsers are told never to come without TLS.
    """

    def __init__(self, api: ASGIApp, count: Count, language: str, *, tls_only: bool) -> None:
        self._api = api
        self._count = count
        self._language = language
        self._headers = HEADERS | (TLS_ONLY if tls_only else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._api(scope, receive, send)
            return
        began, status, ended = time.perf_counter(), 0, False

        async def answer(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self._api(scope, receive, answer)
        except Exception as error:
            if not status:
                language = language_of(Headers(scope=scope), self._language)
                await respond(as_problem(error), language)(scope, receive, answer)
            elif not ended:
                log.warning("an answer broke off: %s", type(error).__name__)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._count(method, _route(scope), status, time.perf_counter() - began)


def _route(scope: MutableMapping[str, Any]) -> str:
    """Its pattern; never the path itself, of which there may be any number."""
    path = getattr(scope.get("route"), "path", None)
    return "other" if path is None else f"{scope.get('root_path', '')}{path}"
