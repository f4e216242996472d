"""The site: every page, and what is said when there is none."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from mediaguard.app import App
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
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
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
        sentence = say(problem.code, problem.params, language)
        return render("problem.html", language, app.config.zone, problem.status, sentence=sentence)

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
