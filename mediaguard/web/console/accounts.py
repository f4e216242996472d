"""Accounts: who somebody is, by their session."""

import re

from starlette.requests import Request
from starlette.responses import Response

from mediaguard.app import App
from mediaguard.core.access import Visitor
from mediaguard.store.entrance import Caller
from mediaguard.store.sessions import UserSession
from mediaguard.web.callers import client_address
from mediaguard.web.console.cookies import Cookies

_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_CALLED = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "CrOS", "Linux")


class Accounts:
    """Recognises visitors."""

    def __init__(self, app: App) -> None:
        web = app.config.web
        self._app = app
        self._proxies = web.proxies
        secure = web.address is not None or web.tls_certificate is not None
        self.cookies = Cookies(app.keyring, secure=secure)

    def visitor(self, request: Request) -> Visitor | None:
        """Who made the request; None for nobody."""
        current = self.session(request)
        if current is None or current.step is not None:
            return None
        user = current.user
        return Visitor(
            user.user_id, user.roles, user.groups, user.language, self.form_token(request)
        )

    def session(self, request: Request) -> UserSession | None:
        """The session of the request, also of somebody who is still signing in."""
        if not hasattr(request.state, "session"):
            token = self.cookies.session(request)
            # A page that asks again and again by itself is nobody at the screen.
            active = request.method != "GET" or "json" not in request.headers.get("accept", "")
            request.state.session = self._app.sessions.find(token, active=active) if token else None
        found = request.state.session
        assert found is None or isinstance(found, UserSession)
        return found

    def form_token(self, request: Request) -> str:
        """What the forms of the session carry."""
        return self._app.sessions.form_token(self.cookies.session(request))

    def caller(self, request: Request) -> Caller:
        """Where a request comes from."""
        return Caller(
            address=client_address(request, self._proxies),
            browser=browser(request.headers.get("user-agent", "")),
            device=self.cookies.device(request),
        )

    def let_in(self, response: Response, user_id: str, token: str) -> None:
        """Give the browser the session under its new token."""
        self.cookies.set_session(response, token)
        current = self._app.sessions.find(token)
        if current is not None and current.step is None:  # the password alone makes no device known
            self.cookies.set_known(response, user_id)


def browser(user_agent: str) -> str:
    """Roughly which, so that people recognise their own."""
    found = next((name for name in _BROWSERS if f"{name}/" in user_agent), "")
    system = next((name for name in _SYSTEMS if re.search(rf"\b{name}\b", user_agent)), "")
    return ", ".join(part for part in (_CALLED.get(found, found), system) if part)
