"""The site: every page, and what is said when there is none."""

import logging

from anyio.to_thread import run_sync
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from mediaguard.app import App
from mediaguard.core.access import Visitor
from mediaguard.texts import say
from mediaguard.web.console import (
    account,
    audit,
    channels,
    inbox,
    links,
    people,
    published,
    review,
    school_account,
    second_factor,
    sign_in,
    takedowns,
    users,
    wordings,
)
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.entering import WrongStep
from mediaguard.web.console.guard import Guard, SignInFirst
from mediaguard.web.console.hosts import KnownHosts
from mediaguard.web.console.pages import render
from mediaguard.web.problems import as_problem, language_of, respond

log = logging.getLogger(__name__)

PAGES = (
    inbox,
    review,
    people,
    links,
    wordings,
    published,
    takedowns,
    channels,
    audit,
    users,
)


def make_site(app: App) -> FastAPI:
    """The console of a home, to be mounted at /console."""
    accounts = Accounts(app)
    guard = Guard(app, accounts)
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    site.state.origin = app.config.web.address
    site.add_middleware(KnownHosts, web=app.config.web, language=app.language)
    for way_in in (sign_in, second_factor, school_account, account):
        site.include_router(way_in.router(guard, accounts))
    for page in PAGES:
        site.include_router(page.router(guard))
    site.mount("/static", StaticFiles(packages=[("mediaguard.web", "static")]), name="static")

    async def ask_to_sign_in(request: Request, error: Exception) -> Response:
        assert isinstance(error, SignInFirst)
        if _wants_json(request):
            return await failed(request, HTTPException(401))
        response = RedirectResponse(f"/console/sign-in?next={error.next}", 303)
        if error.lost:
            accounts.cookies.set_notice(response, "notice-not-recorded")
        return response

    async def failed(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        language = language_of(request.headers, app.language)
        if _wants_json(request):
            return respond(problem, language)
        visitor = await run_sync(_visitor, request)
        if visitor is not None:
            language = visitor.language
        return render(
            "problem.html",
            language,
            app.config.zone,
            problem.status,
            visitor=visitor,
            path=request.url.path,
            sentence=say(problem.code, problem.params, language),
        )

    def _visitor(request: Request) -> Visitor | None:
        """Who sees the problem; nobody, if the problem is that the database does not answer."""
        try:
            return accounts.visitor(request)
        except Exception:
            log.warning("cannot tell who is signed in", exc_info=True)
            return None

    async def elsewhere(_: Request, error: Exception) -> Response:
        assert isinstance(error, WrongStep)
        return RedirectResponse(error.path, 303)

    site.add_exception_handler(SignInFirst, ask_to_sign_in)
    site.add_exception_handler(WrongStep, elsewhere)
    for kind in (Exception, HTTPException, RequestValidationError):
        site.add_exception_handler(kind, failed)
    return site


def _wants_json(request: Request) -> bool:
    """Whether a script asks, and not a person."""
    return "application/json" in request.headers.get("accept", "")
