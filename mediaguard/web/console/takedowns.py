"""Takedowns: what has to come down, how far that is, and the proof of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from mediaguard.app import App
from mediaguard.certificate import certificate as make_certificate
from mediaguard.config import Language
from mediaguard.core.access import Permission
from mediaguard.errors import InputError
from mediaguard.phrases import answer, received_by
from mediaguard.published import Published
from mediaguard.store.items import Publications
from mediaguard.store.scope import scope_of
from mediaguard.store.tables import TakedownRow
from mediaguard.store.takedown_pages import Asked, TakedownPages
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.web.console.browsing import browsing
from mediaguard.web.console.browsing import find as find_somebody
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.lists import PER_PAGE, given, place
from mediaguard.web.console.persons import known_to, require_known
from mediaguard.web.console.visit import Visit
from mediaguard.web.console.waiting import due_since
from mediaguard.web.problems import Problem

PATH = "/console/takedowns"

_ADVICE = {
    None: "takedown-advice-wait",
    "takedown-lingers": "takedown-advice-lingers",
    "takedown-elsewhere": "takedown-advice-elsewhere",
}

WHICH: dict[str, Sequence[str]] = {
    "open": OPEN,
    "overdue": OPEN,
    "unrecallable": ("unrecallable",),
    "done": ("confirmed",),
    "all": (*OPEN, "confirmed", "unrecallable"),
}
"""What the filter may say, and which states of a takedown that means."""

CERTIFICATE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""A certificate is one file, to be kept and sent: its style stands in it."""


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/takedowns")
    may_see = guard.may(Permission.SEE_PUBLISHED)
    may_hurry = guard.may(Permission.SEE_PUBLISHED, Permission.TAKE_DOWN)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        query = visit.request.query_params
        return _list(
            visit,
            _filters(given(query, "channel"), given(query, "which"), given(query, "subject")),
            after=given(query, "after"),
        )

    @routes.post("/find")
    def find(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        filters = _filters(visit.field("channel") or None, visit.field("which") or None, None)
        return find_somebody(
            visit, PATH, filters, lambda who, found: _list(visit, filters, who=who, found=found)
        )

    @routes.get("/certificate")
    def certificate(visit: Annotated[Visit, Depends(may_hurry)]) -> Response:
        query = visit.request.query_params
        subject, language = given(query, "subject"), query.get("language", "")
        if subject is None:
            raise Problem(404, "web-not-found")
        with visit.app.database.read() as session:
            require_known(visit.visitor, session, subject)
        try:
            made = make_certificate(visit.app, subject, given(query, "channel"))
        except InputError as error:
            raise Problem(404, "certificate-nothing") from error
        if language not in tuple(Language):
            language = visit.visitor.language
        headers = {"Content-Security-Policy": CERTIFICATE_POLICY}
        if query.get("save"):
            name = f"{made.title}-{subject}-{language}.html"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return HTMLResponse(made.as_html(language), headers=headers)

    @routes.get("/{takedown_id}")
    def one(visit: Annotated[Visit, Depends(may_see)], takedown_id: str) -> Response:
        app = visit.app
        with app.database.read() as session:
            row = _seen(visit, session, takedown_id)
            publication = Publications(session).get(row.publication_id)
            known = known_to(visit.visitor, session, [row.subject_id] if row.subject_id else [])
        looks = {look["url"]: look for look in row.looks}
        return visit.page(
            "takedown.html",
            row=row,
            publication=publication,
            known=known,
            open=row.state in OPEN,
            overdue=_is_overdue(row, due_since(app)),
            advice=_advice(app, row),
            places=[
                (place(app, url), looks.get(url))
                for url in dict.fromkeys([*publication.urls, *looks])
            ],
            answer=lambda value: answer(value, visit.visitor.language),
            receivers=received_by(app.config, row.channel),
        )

    @routes.post("/{takedown_id}/now")
    def now(visit: Annotated[Visit, Depends(may_hurry)], takedown_id: str) -> Response:
        with visit.app.database.read() as session:
            row = _seen(visit, session, takedown_id)
        published = Published(visit.app)
        hurried = published.hurry([published.takedown(row.id)])
        notice = "notice-hurried" if hurried else "notice-nothing-to-hurry"
        return visit.go(f"{PATH}/{row.id}", notice)

    return routes


def _filters(channel: str | None, which: str | None, subject: str | None) -> dict[str, str | None]:
    return {
        "channel": channel,
        "which": which if which in WHICH and which != "open" else None,
        "subject": subject,
    }


def _list(
    visit: Visit,
    filters: dict[str, str | None],
    *,
    after: str | None = None,
    who: str | None = None,
    found: Sequence[str] | None = None,
) -> Response:
    """The page; with `found` people to choose from in place of a list."""
    which, subject = filters["which"] or "open", filters["subject"]
    due, scope = due_since(visit.app), scope_of(visit.visitor)
    rows: Sequence[TakedownRow] = ()
    with visit.app.database.read() as session:
        pages = TakedownPages(session)
        if subject is not None:
            require_known(visit.visitor, session, subject)
        if found is None:
            asked = Asked(
                channel=filters["channel"],
                subject=subject,
                states=WHICH[which],
                before=due if which == "overdue" else None,
                scope=scope,
            )
            rows = pages.page(asked, PER_PAGE + 1, after)
        known = known_to(visit.visitor, session, [row.subject_id for row in rows if row.subject_id])
        opened, overdue = pages.open(due, scope)
    more = rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None
    return visit.page(
        "takedowns.html",
        rows=[(row, _is_overdue(row, due)) for row in rows[:PER_PAGE]],
        known=known,
        is_open=lambda row: row.state in OPEN,
        receivers=lambda channel: received_by(visit.app.config, channel),
        counts={"open": opened, "overdue": overdue},
        which=which,
        ways=list(WHICH),
        **browsing(visit, PATH, filters, after=after, more=more, who=who, found=found),
    )


def _is_overdue(row: TakedownRow, due: datetime) -> bool:
    return row.state in OPEN and row.requested_at < due


def _advice(app: App, row: TakedownRow) -> str | None:
    """Code of what somebody can do about it; None if there is nothing to do."""
    if row.state == "unrecallable":
        return "takedown-advice-lost"
    if row.state not in OPEN:
        return None
    if row.channel not in app.config.channels:
        return "takedown-advice-channel"
    return _ADVICE.get(row.problem, "takedown-advice")


def _seen(visit: Visit, session: Session, takedown_id: str) -> TakedownRow:
    """A takedown that they may see.

    Raises:
        Problem: there is none.
    """
    if not TakedownPages(session).may_see(takedown_id, scope_of(visit.visitor)):
        raise Problem(404, "web-not-found")
    return Takedowns(session).get(takedown_id)
