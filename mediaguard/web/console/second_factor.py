"""The steps between a password, or a link, and being signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.errors import InputError
from mediaguard.store.passwords import SHORTEST, require_same
from mediaguard.store.second_factor import qr_code
from mediaguard.store.sessions import Step
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.entering import SIGN_IN, Entering, Entry
from mediaguard.web.console.guard import Guard


def router(guard: Guard, accounts: Accounts) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/sign-in")
    entrance = guard.app.entrance
    entry = Entry(guard.app, accounts)
    at_code, at_password, at_set_up = (
        entry.at(Step.CODE),
        entry.at(Step.PASSWORD),
        entry.at(Step.SET_UP),
    )

    @routes.get("/code")
    def ask_code(entering: Annotated[Entering, Depends(at_code)]) -> Response:
        return entering.page("sign_in_code.html")

    @routes.post("/code")
    def give_code(entering: Annotated[Entering, Depends(at_code)]) -> Response:
        try:
            token = entrance.give_code(
                entering.session, entering.field("code"), accounts.caller(entering.request)
            )
        except InputError as error:
            return entering.page("sign_in_code.html", error=error)
        return entering.go_on(entering.session.user.user_id, token)

    @routes.get("/password")
    def ask_password(entering: Annotated[Entering, Depends(at_password)]) -> Response:
        return _password(entering)

    @routes.post("/password")
    def choose_password(entering: Annotated[Entering, Depends(at_password)]) -> Response:
        password = entering.field("password")
        try:
            require_same(password, entering.field("again"))
            token = entrance.choose_password(entering.session, password)
        except InputError as error:
            return _password(entering, error)
        return entering.go_on(entering.session.user.user_id, token)

    @routes.get("/set-up")
    def show_secret(entering: Annotated[Entering, Depends(at_set_up)]) -> Response:
        return _set_up(entering)

    @routes.get("/set-up/picture.svg")
    def picture(entering: Annotated[Entering, Depends(at_set_up)]) -> Response:
        secret = entrance.pending_secret(entering.session)
        return svg(qr_code(secret, entering.session.user.user_id))

    @routes.post("/set-up")
    def confirm(entering: Annotated[Entering, Depends(at_set_up)]) -> Response:
        done = entrance.confirm_second_factor(entering.session, entering.field("code"))
        if done is None:
            return _set_up(entering, InputError("sign-in-code-wrong"))
        token, codes = done
        page = entering.page("recovery_codes.html", codes=codes)
        accounts.let_in(page, entering.session.user.user_id, token)
        return page

    def _set_up(entering: Entering, error: InputError | None = None) -> Response:
        return entering.page(
            "second_factor.html",
            error=error,
            secret=entrance.pending_secret(entering.session),
            action=f"{SIGN_IN}/set-up",
            entering=True,
        )

    return routes


def svg(picture: bytes) -> Response:
    """A picture that no script can run in."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return Response(
        picture, media_type="image/svg+xml", headers={"Content-Security-Policy": policy}
    )


def _password(entering: Entering, error: InputError | None = None) -> Response:
    user_id = entering.session.user.user_id
    return entering.page("sign_in_password.html", error=error, shortest=SHORTEST, login=user_id)
