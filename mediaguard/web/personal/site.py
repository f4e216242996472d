"""The pages of personal links, and what is said when a link does not work."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from mediaguard.app import App
from mediaguard.certificate import Certificate, certificate
from mediaguard.core.consent import MATCHING
from mediaguard.errors import InputError
from mediaguard.texts import say
from mediaguard.web.personal.door import Door, Opened, show, wanted_language
from mediaguard.web.personal.standing import Standing, standings
from mediaguard.web.problems import Problem, as_problem

MOST = 50
"""So many takedowns stand on the page; the certificate has them all."""

_PRINTED = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The certificate is one file with its own style, to be kept or printed."""


def make_personal(app: App) -> FastAPI:
    """The personal pages of a home, to be mounted at /my."""
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    site.mount("/static", StaticFiles(packages=[("mediaguard.web", "static")]), name="static")
    site.include_router(_router(Door(app)))

    async def failed(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        code = "personal-unknown" if problem.status == 404 else problem.code
        language = wanted_language(request, app)
        sentence = say(code, problem.params, language)
        page = show("problem.html", app, language, problem.status, sentence=sentence)
        if problem.retry_after is not None:
            page.headers["Retry-After"] = str(int(problem.retry_after) + 1)
        return page

    for kind in (Exception, HTTPException, RequestValidationError):
        site.add_exception_handler(kind, failed)
    return site


def _router(door: Door) -> APIRouter:
    routes = APIRouter()

    @routes.get("/{token}")
    def first(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        visit.links.opened(visit.link)
        if not visit.holder.decides:
            return _closed(visit)
        found = standings(visit.app, visit.link)
        notice = visit.notices.read(visit.request)
        page = visit.page(
            "overview.html",
            standings=found,
            certificate=_certificate(visit),
            most=MOST,
            notice=notice if notice and notice.is_true(found) else None,
        )
        if notice:
            visit.notices.end(page)
        return page

    @routes.get("/{token}/agree")
    def ask(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit)
        return _ask(visit, _standing(visit, visit.request.query_params.get("channel", "")))

    @routes.post("/{token}/yes")
    def agree(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit, 403)
        standing = _standing(visit, visit.field("channel"))
        wording, read = standing.asked, visit.field("read")
        if wording is None:
            return _ask(visit, standing, 422)
        shown = (visit.field("wording"), visit.field("digest"))
        if read not in wording.texts or shown != (wording.version, wording.digest(read)):
            return _ask(visit, standing, 409, "personal-text-changed")
        if visit.field("agreed") != "yes":
            return _ask(visit, standing, 422, "personal-not-ticked")
        try:
            _, ruling = visit.app.desk.grant(
                visit.link.subject_id,
                standing.channel,
                signatory=visit.link.signatory,
                signatory_id=visit.link.signatory_id,
                evidence=_evidence(visit, read),
                wording=wording.version,
                texts=wording.texts,
            )
        except InputError as error:
            if error.code != "wording-changed":
                raise
            return _ask(visit, standing, 409, "personal-text-changed")
        said = "notice-personal-yes" if ruling.allowed else "notice-personal-yes-waits"
        return visit.go(said, standing.channel)

    @routes.post("/{token}/no")
    def refuse(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit, 403)
        standing = _standing(visit, visit.field("channel"))
        desk, link = visit.app.desk, visit.link
        # Recorded whatever stands on the page: a yes may be under way.
        if not standing.history:
            desk.refuse(
                link.subject_id,
                standing.channel,
                signatory=link.signatory,
                signatory_id=link.signatory_id,
                evidence=_evidence(visit),
            )
            return visit.go("notice-personal-no", standing.channel)
        done = desk.withdraw(
            link.subject_id,
            standing.channel,
            signatory=link.signatory,
            signatory_id=link.signatory_id,
            evidence=_evidence(visit),
        )
        said = "notice-personal-no-takedown" if done.takedowns else "notice-personal-no"
        if standing.channel == MATCHING:
            said = "notice-personal-no-matching"
        return visit.go(said, standing.channel)

    @routes.get("/{token}/no-everywhere")
    def ask_everything(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit)
        return visit.page("everything.html")

    @routes.post("/{token}/no-everywhere")
    def withdraw(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit, 403)
        done = visit.app.desk.withdraw(
            visit.link.subject_id,
            signatory=visit.link.signatory,
            signatory_id=visit.link.signatory_id,
            evidence=_evidence(visit),
        )
        return visit.go("notice-personal-all" if done.events else "notice-personal-nothing")

    @routes.get("/{token}/certificate")
    def prove(visit: Annotated[Opened, Depends(door.open)]) -> Response:
        if not visit.holder.decides:
            return _closed(visit, 403)
        found = _certificate(visit)
        if found is None:
            raise Problem(404, "personal-unknown")
        html = found.as_html(visit.words.language)
        headers = {"Content-Security-Policy": _PRINTED, "X-Robots-Tag": "noindex, noarchive"}
        return HTMLResponse(html, headers=headers)

    return routes


def _standing(visit: Opened, channel: str) -> Standing:
    found = {standing.channel: standing for standing in standings(visit.app, visit.link)}
    if channel not in found:
        raise Problem(404, "personal-unknown")
    return found[channel]


def _ask(
    visit: Opened, standing: Standing, status: int = 200, problem: str | None = None
) -> Response:
    if standing.ruling is None:  # nobody is asked for a channel that is not used any more
        raise Problem(404, "personal-unknown")
    return visit.page("agree.html", status, standing=standing, problem=problem)


def _closed(visit: Opened, status: int = 200) -> Response:
    """For somebody whose answer does not count (any more)."""
    return visit.page("closed.html", status)


def _certificate(visit: Opened) -> Certificate | None:
    """What is taken down; None if nothing ever was."""
    try:
        return certificate(visit.app, visit.link.subject_id)
    except InputError:
        return None


def _evidence(visit: Opened, read: str = "") -> str:
    """Where the proof of an answer is: in the audit log, under this link and moment."""
    at: datetime = visit.app.now()
    return "-".join(filter(None, ["LINK", visit.link.id, f"{at:%Y%m%dT%H%M%S.%fZ}", read]))
