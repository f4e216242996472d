"""Adding people, and correcting what is on record about one."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import Kind, Subject
from mediaguard.errors import InputError
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.people_known import PATH, all_groups, day, known, tried
from mediaguard.web.console.visit import Visit


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter()
    may_keep = guard.may(Permission.SEE_PEOPLE, Permission.KEEP_PEOPLE)

    @routes.get("/-add")
    def form(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        return _form(visit, None)

    @routes.post("/-add")
    def add(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        def act() -> Response:
            subject_id = visit.field("subject_id")
            visit.app.desk.add_subject(
                subject_id, kind=_kind(visit), groups=_groups(visit), born=day(visit, "born")
            )
            return visit.go(f"{PATH}/{subject_id}", "notice-people-added")

        return tried(visit, act, lambda problem: _form(visit, None, problem))

    @routes.get("/{subject_id}/edit")
    def edit(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        return _form(visit, known(visit, subject_id))

    @routes.post("/{subject_id}/edit")
    def correct(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        subject = known(visit, subject_id)

        def act() -> Response:
            count = visit.app.desk.correct_subject(
                subject_id, kind=_kind(visit), groups=_groups(visit), born=day(visit, "born")
            )
            notice = "notice-people-corrected-down" if count else "notice-people-corrected"
            return visit.go(f"{PATH}/{subject_id}", notice)

        return tried(visit, act, lambda problem: _form(visit, subject, problem))

    return routes


def _form(visit: Visit, subject: Subject | None, problem: str | None = None) -> Response:
    if problem is not None:
        typed: dict[str, object] = {
            "subject_id": visit.field("subject_id"),
            "kind": visit.field("kind"),
            "born": visit.field("born"),
            "groups": {str(group) for group in visit.form.getlist("group")},
            "new_group": visit.field("new_group"),
        }
    else:
        now = subject or Subject("")
        typed = {
            "subject_id": now.subject_id,
            "kind": now.kind,
            "born": now.born.isoformat() if now.born else "",
            "groups": now.groups,
            "new_group": "",
        }
    return visit.page(
        "people_edit.html",
        422 if problem else 200,
        subject=subject,
        kinds=[*Kind],
        groups=[*all_groups(visit)],
        typed=typed,
        problem=problem,
    )


def _kind(visit: Visit) -> Kind:
    try:
        return Kind(visit.field("kind"))
    except ValueError:
        raise InputError("people-kind-unknown") from None


def _groups(visit: Visit) -> frozenset[str]:
    ticked = {group for group in visit.form.getlist("group") if isinstance(group, str)}
    return frozenset(filter(None, {*ticked, visit.field("new_group")}))
