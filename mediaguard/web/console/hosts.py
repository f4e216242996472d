"""The names under which the console is: no other site's name may lead to it.

A site that lets its own name point to this machine (DNS rebinding) would otherwise be the same
site to a browser.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mediaguard.config import LOOPBACK, Web
from mediaguard.web.callers import called_host
from mediaguard.web.problems import Problem, language_of, respond


class KnownHosts:
    """Around the site.

    Args:
        app: the site.
        web: the settings.
        language: of the answer where the browser asks for none.
    """

    def __init__(self, app: ASGIApp, web: Web, language: str) -> None:
        self._app = app
        self._known: Collection[str | None] = {
            *LOOPBACK,
            web.host,
            urlsplit(web.address or "").hostname,
        }
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless somebody else's name leads here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = called_host(headers)
        if host is None or host not in self._known:
            problem = Problem(400, "console-host", host=(host or "-")[:100])
            language = language_of(headers, self._language)
            await respond(problem, language)(scope, receive, send)
            return
        await self._app(scope, receive, send)
