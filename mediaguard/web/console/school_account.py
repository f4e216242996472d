"""Signing in with the school's own account (OpenID Connect)."""

import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediaguard.errors import InputError
from mediaguard.secrets import read_secret
from mediaguard.store.users import school_account
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.entering import SIGN_IN, Entering, Entry, path_of
from mediaguard.web.console.guard import Guard
from mediaguard.web.oidc import Provider


def router(guard: Guard, accounts: Accounts) -> APIRouter:
    """The pages.

    Raises:
        ConfigError: the secret cannot be read.
    """
    routes = APIRouter(prefix="/sign-in/school")
    app, cookies = guard.app, accounts.cookies
    anybody = Entry(app, accounts).at()
    settings = app.config.web.oidc
    provider = None
    if settings is not None:
        provider = Provider(settings, read_secret(settings.client_secret, app.home))

    @routes.get("")
    def begin(entering: Annotated[Entering, Depends(anybody)]) -> Response:
        if provider is None:
            raise HTTPException(404)
        try:
            asked = provider.ask(_back(entering.request))
        except InputError as error:
            return _failed(entering, error)
        response = RedirectResponse(asked.address, 303)
        cookies.set_begun(
            response,
            state=asked.state,
            nonce=asked.nonce,
            verifier=asked.verifier,
            next=entering.next,
        )
        return response

    @routes.get("/back")
    def come_back(entering: Annotated[Entering, Depends(anybody)]) -> Response:
        if provider is None or settings is None:
            raise HTTPException(404)
        try:
            code, begun = answered(entering.request, settings.issuer)
            vouched = provider.vouched(
                code,
                back=_back(entering.request),
                nonce=begun["nonce"],
                verifier=begun["verifier"],
            )
            digest = school_account(app.keyring, settings.issuer, settings.claim, vouched.value)
            user_id, token = app.entrance.with_school_account(
                digest, accounts.caller(entering.request), mfa=vouched.mfa
            )
        except InputError as error:
            return _failed(entering, error)
        if entering.current is not None:
            app.entrance.sign_out(entering.current)
        response = RedirectResponse(path_of(app.sessions.find(token), begun["next"]), 303)
        accounts.let_in(response, user_id, token)
        cookies.end_begun(response)
        return response

    def answered(request: Request, issuer: str) -> tuple[str, Mapping[str, str]]:
        """The code that came back, and what was begun in this very browser."""
        given, begun = request.query_params, cookies.begun(request)
        state = given.get("state", "")
        if begun is None or not hmac.compare_digest(state.encode(), begun["state"].encode()):
            raise InputError("sign-in-again")
        if "code" not in given or given.get("iss", issuer) != issuer:
            raise InputError("oidc-refused")
        return given["code"], begun

    def _back(request: Request) -> str:
        base = app.config.web.address or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{SIGN_IN}/school/back"

    def _failed(entering: Entering, error: InputError) -> Response:
        name = None if settings is None else settings.name
        page = entering.page("sign_in.html", error=error, school=name, ask="", login="")
        cookies.end_begun(page)
        return page

    return routes
