"""Signing in with a password or a link."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from mediaguard.app import App
from mediaguard.errors import InputError
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.entering import SIGN_IN, Entering, Entry, path_of
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.visit import Visit


def router(guard: Guard, accounts: Accounts) -> APIRouter:
    """The pages."""
    routes = APIRouter()
    app = guard.app
    anybody = Entry(app, accounts).at()
    signed_in = guard.may()
    school = None if app.config.web.oidc is None else app.config.web.oidc.name

    def form(entering: Entering, error: InputError | None = None, login: str = "") -> Response:
        ask = urlencode({"next": entering.next})
        return entering.page("sign_in.html", error=error, school=school, ask=ask, login=login)

    @routes.get("/sign-in")
    def show(entering: Annotated[Entering, Depends(anybody)]) -> Response:
        if entering.current is not None:
            return RedirectResponse(path_of(entering.current, entering.next), 303)
        return form(entering)

    @routes.post("/sign-in")
    def sign_in(entering: Annotated[Entering, Depends(anybody)]) -> Response:
        if entering.current is not None:
            return RedirectResponse(path_of(entering.current, entering.next), 303)
        login = entering.field("login")
        if entering.stale:
            return form(entering, InputError("sign-in-again"), login=login)
        try:
            user_id, token = app.entrance.with_password(
                login, entering.field("password"), accounts.caller(entering.request)
            )
        except InputError as error:
            return form(entering, error, login=login)
        return entering.go_on(user_id, token)

    @routes.post("/sign-in/again")
    def begin_again(entering: Annotated[Entering, Depends(anybody)]) -> Response:
        response = RedirectResponse(SIGN_IN, 303)
        if entering.current is not None and not entering.stale:
            app.entrance.sign_out(entering.current)
            accounts.cookies.end_session(response)
        return response

    @routes.post("/sign-out")
    def sign_out(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        current = accounts.session(visit.request)
        assert current is not None
        app.entrance.sign_out(current)
        response = RedirectResponse(SIGN_IN, 303)
        accounts.cookies.end_session(response)
        return response

    # Only a click uses a link up: programs that look at links in messages send no forms.
    @routes.get("/link/{link}")
    def look_at_link(entering: Annotated[Entering, Depends(anybody)], link: str) -> Response:
        return entering.page("sign_in_link.html", link=link)

    @routes.post("/link/{link}")
    def use_link(entering: Annotated[Entering, Depends(anybody)], link: str) -> Response:
        if entering.stale:
            error = InputError("sign-in-again")
            return entering.page("sign_in_link.html", link=link, error=error)
        try:
            user_id, token = app.entrance.with_link(link, accounts.caller(entering.request))
        except InputError as error:
            return entering.page("sign_in_link.html", link=link, error=error)
        if entering.current is not None:
            app.entrance.sign_out(entering.current)
        return entering.go_on(user_id, token)

    return routes


def one_time_link(app: App, user_id: str) -> str:
    """A path that signs somebody in at once, without a password or a second factor.

    For a demonstration on this machine, whose owner can do anything to the home anyway.

    Raises:
        InputError: there is no such user, or the account is disabled.
    """
    return f"/console/link/{app.users.make_link(user_id, complete=True)}"
