"""One's own account: password, second factor, language, and where one is signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.errors import InputError
from mediaguard.store.passwords import SHORTEST, require_same
from mediaguard.store.second_factor import qr_code
from mediaguard.store.sessions import UserSession
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.second_factor import svg
from mediaguard.web.console.sections import SECTIONS
from mediaguard.web.console.visit import Visit

ACCOUNT = "/console/account"


def router(guard: Guard, accounts: Accounts) -> APIRouter:
    """The pages."""
    routes = APIRouter()
    app, entrance = guard.app, guard.app.entrance
    signed_in = guard.may()

    @routes.get("/")
    def first(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        own = [section for section in SECTIONS if visit.visitor.may(section.permission)]
        return visit.go(own[0].path)

    @routes.get("/account")
    def show(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        return page(visit)

    @routes.post("/account/language")
    def language(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        entrance.set_language(session(visit), visit.field("language"))
        return visit.go(ACCOUNT, "notice-account-saved")

    @routes.post("/account/password")
    def password(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        before, new, again = (_typed(visit, name) for name in ("before", "password", "again"))
        try:
            require_same(new, again)
            token = entrance.change_password(
                session(visit), before, new, accounts.caller(visit.request)
            )
        except InputError as error:
            return page(visit, error)
        return _under(token, visit, visit.go(ACCOUNT, "notice-password-changed"))

    @routes.post("/account/second-factor")
    def begin(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        try:
            require_password(visit)
        except InputError as error:
            return page(visit, error)
        return set_up(visit, anew=True)

    @routes.get("/account/second-factor/picture.svg")
    def picture(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        current = session(visit)
        if current.pending is None:
            raise InputError("sign-in-again")
        return svg(qr_code(entrance.pending_secret(current), current.user.user_id))

    @routes.post("/account/second-factor/confirm")
    def confirm(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        done = entrance.confirm_second_factor(session(visit), visit.field("code"))
        if done is None:
            return set_up(visit, error=InputError("sign-in-code-wrong"))
        token, codes = done
        return _under(token, visit, _codes(visit, codes))

    @routes.post("/account/second-factor/forget")
    def forget(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        try:
            require_password(visit)
            entrance.forget_second_factor(session(visit))
        except InputError as error:
            return page(visit, error)
        return visit.go(ACCOUNT, "notice-account-saved")

    @routes.post("/account/recovery-codes")
    def codes_anew(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        try:
            require_password(visit)
        except InputError as error:
            return page(visit, error)
        return _codes(visit, entrance.anew_recovery_codes(session(visit)))

    @routes.post("/account/sign-out")
    def sign_out(visit: Annotated[Visit, Depends(signed_in)]) -> Response:
        """One other session, or all others."""
        one = visit.field("session")
        if one:
            entrance.sign_out(session(visit), one)
        else:
            entrance.sign_out_elsewhere(session(visit))
        return visit.go(ACCOUNT, "notice-signed-out-elsewhere")

    # -- inside -----------------------------------------------------------------------------

    def session(visit: Visit) -> UserSession:
        current = accounts.session(visit.request)
        assert current is not None
        return current

    def require_password(visit: Visit) -> None:
        caller = accounts.caller(visit.request)
        entrance.require_password(session(visit), _typed(visit, "before"), caller)

    def page(visit: Visit, error: InputError | None = None) -> Response:
        current = session(visit)
        return visit.page(
            "account.html",
            200 if error is None else 422,
            error=None if error is None else visit.say(error.code, **error.params),
            user=current.user,
            current=current,
            sessions=app.sessions.of(current.user.user_id),
            shortest=SHORTEST,
        )

    def set_up(visit: Visit, *, anew: bool = False, error: InputError | None = None) -> Response:
        return visit.page(
            "second_factor.html",
            200 if error is None else 422,
            error=None if error is None else visit.say(error.code, **error.params),
            secret=entrance.pending_secret(session(visit), anew=anew),
            action=f"{ACCOUNT}/second-factor",
            token=visit.visitor.token,
            next=ACCOUNT,
            entering=False,
        )

    def _under(token: str, visit: Visit, response: Response) -> Response:
        accounts.let_in(response, visit.visitor.user_id, token)
        return response

    return routes


def _codes(visit: Visit, codes: object) -> Response:
    return visit.page("recovery_codes.html", codes=codes, next=ACCOUNT)


def _typed(visit: Visit, name: str) -> str:
    """As it was typed: blanks may belong to a password."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""
