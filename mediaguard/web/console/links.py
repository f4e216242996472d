"""Personal links of a subject: which there are, making one, revoking one."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import Signatory
from mediaguard.errors import InputError
from mediaguard.personal import Link, PersonalLinks
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

MOST_DAYS = 4000


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/people/{subject_id}/links")
    may_keep = guard.may(Permission.KEEP_PEOPLE)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        return _page(visit, subject_id, made=visit.told(Link, once=True))

    @routes.post("")
    def make(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        days = visit.field("days")
        if not (days.isdecimal() and days.isascii() and 1 <= int(days[:5]) <= MOST_DAYS):
            return _page(visit, subject_id, 422, problem=visit.say("link-days-wrong"))
        links = PersonalLinks(visit.app)
        signatory = links.decider(_known(visit, subject_id))
        which = visit.field("signatory_id") if signatory is Signatory.GUARDIAN else ""
        try:
            made = links.make(subject_id, signatory, which or None, int(days))
        except InputError as error:
            problem = visit.say(error.code, **error.params)
            return _page(visit, subject_id, 422, problem=problem)
        return visit.go_and_tell(f"/console/people/{subject_id}/links", made)

    @routes.post("/{link_id}/revoke")
    def revoke(
        visit: Annotated[Visit, Depends(may_keep)], subject_id: str, link_id: str
    ) -> Response:
        _known(visit, subject_id)
        try:
            PersonalLinks(visit.app).revoke(link_id, subject_id)
        except InputError as error:
            raise Problem(404, "web-not-found") from error
        return visit.go(f"/console/people/{subject_id}/links", "notice-link-revoked")

    return routes


def _known(visit: Visit, subject_id: str) -> str:
    """The subject, if they may see it."""
    try:
        subject = PersonalLinks(visit.app).subject(subject_id)
    except InputError as error:
        raise Problem(404, "web-not-found") from error
    if not visit.visitor.sees(subject.groups):
        raise Problem(404, "web-not-found")
    return subject.subject_id


def _page(
    visit: Visit,
    subject_id: str,
    status: int = 200,
    *,
    problem: str | None = None,
    made: Link | None = None,
) -> Response:
    links = PersonalLinks(visit.app)
    subject = _known(visit, subject_id)
    if made is not None and made.row.subject_id != subject:
        made = None
    return visit.page(
        "links.html",
        status,
        subject=subject,
        rows=[(row, links.state(row)) for row in links.of(subject)],
        decider=links.decider(subject),
        days=visit.field("days") or visit.app.config.web.personal_link_days,
        which=visit.field("signatory_id"),
        problem=problem,
        made=made,
        was_shown=made is None and "told" in visit.request.query_params,
    )
