"""Published: what is live where, and who can be seen in it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from mediaguard.app import App
from mediaguard.channels.registry import abilities
from mediaguard.core.access import Permission
from mediaguard.store.items import VISIBLE, Publications
from mediaguard.store.publication_pages import Listed, PublicationPages, Wanted
from mediaguard.store.review_desk import ReviewDesk
from mediaguard.store.scope import scope_of
from mediaguard.store.tables import PublicationRow
from mediaguard.store.takedowns import Takedowns
from mediaguard.web.console.browsing import browsing
from mediaguard.web.console.browsing import find as find_somebody
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.lists import PER_PAGE, given, place
from mediaguard.web.console.persons import known_to, require_known
from mediaguard.web.console.thumbnails import has_thumbnail, thumbnail
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

PATH = "/console/published"

STATES: dict[str, Sequence[str]] = {
    "live": VISIBLE,
    "asked": VISIBLE,
    "removed": ("removed",),
    "all": (*VISIBLE, "removed"),
}
"""What the filter may say, and which states of a publication that means."""


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/published")
    may_see = guard.may(Permission.SEE_PUBLISHED)
    may_reject = guard.may(Permission.SEE_PUBLISHED, Permission.REVIEW)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        query = visit.request.query_params
        return _list(
            visit,
            _filters(given(query, "channel"), given(query, "state"), given(query, "subject")),
            after=given(query, "after"),
        )

    @routes.post("/find")
    def find(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        filters = _filters(visit.field("channel") or None, visit.field("state") or None, None)
        return find_somebody(
            visit, PATH, filters, lambda who, found: _list(visit, filters, who=who, found=found)
        )

    @routes.get("/{publication_id}")
    def one(visit: Annotated[Visit, Depends(may_see)], publication_id: str) -> Response:
        with visit.app.database.read() as session:
            row = _seen(visit, session, publication_id)
            pages = PublicationPages(session)
            [listed] = pages.listed([row])
            relied_on = pages.relied_on(row)
            takedowns = Takedowns(session).list(publication_id=row.id)
            people = {*listed.subjects, *(event.subject_id for event in relied_on)}
            people |= {asked.subject_id for asked in takedowns if asked.subject_id}
            known = known_to(visit.visitor, session, people)
        looks = {look["url"]: look for asked in takedowns for look in asked.looks}
        return visit.page(
            "publication.html",
            one=listed,
            row=row,
            known=known,
            relied_on=relied_on,
            takedowns=takedowns,
            places=[
                (place(visit.app, url), looks.get(url))
                for url in dict.fromkeys([*row.urls, *looks])
            ],
            pictured=has_thumbnail(visit.app, row, listed.kind),
            lost=not can_recall(visit.app, row.channel),
        )

    @routes.get("/{publication_id}/picture")
    def picture(visit: Annotated[Visit, Depends(may_see)], publication_id: str) -> Response:
        with visit.app.database.read() as session:
            row = _seen(visit, session, publication_id)
            [listed] = PublicationPages(session).listed([row])
        content = thumbnail(visit.app, row, listed.kind)
        if content is None:
            raise Problem(404, "web-not-found")
        return Response(content, media_type="image/webp")

    @routes.post("/{publication_id}/take-down")
    def take_down(visit: Annotated[Visit, Depends(may_reject)], publication_id: str) -> Response:
        with visit.app.database.read() as session:
            row = _seen(visit, session, publication_id)
        here = f"{PATH}/{row.id}"
        if row.state not in VISIBLE:
            return visit.go(here, "notice-already-gone")
        app = visit.app
        # Only put on record: a worker takes it down, so that nobody waits for a channel here.
        ReviewDesk(app.database, app.keyring, now=app.now, actor=app.actor).reject(row.item_id)
        return visit.go(here, "notice-taking-down")

    return routes


def _filters(channel: str | None, state: str | None, subject: str | None) -> dict[str, str | None]:
    return {
        "channel": channel,
        "state": state if state in STATES and state != "live" else None,
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
    state, subject = filters["state"] or "live", filters["subject"]
    listed: list[Listed] = []
    with visit.app.database.read() as session:
        if subject is not None:
            require_known(visit.visitor, session, subject)
        if found is None:
            wanted = Wanted(
                channel=filters["channel"],
                subject=subject,
                states=STATES[state],
                asked=state == "asked",
                # Whoever may see a person may see all that shows them.
                scope=None if subject else scope_of(visit.visitor),
            )
            listed = PublicationPages(session).page(wanted, PER_PAGE + 1, after)
        people = {subject_id for one in listed for subject_id in one.subjects}
        known = known_to(visit.visitor, session, people)
    more = listed[PER_PAGE - 1].row.id if len(listed) > PER_PAGE else None
    return visit.page(
        "published.html",
        listed=listed[:PER_PAGE],
        known=known,
        pictured={one.row.id for one in listed if has_thumbnail(visit.app, one.row, one.kind)},
        place=lambda url: place(visit.app, url),
        state=state,
        states=list(STATES),
        **browsing(visit, PATH, filters, after=after, more=more, who=who, found=found),
    )


def can_recall(app: App, name: str) -> bool:
    """Whether a channel can take back what it gave out; unknown means no."""
    channel = app.config.channels.get(name)
    return channel is not None and abilities(channel).recall


def _seen(visit: Visit, session: Session, publication_id: str) -> PublicationRow:
    """A publication that they may see.

    Raises:
        Problem: there is none.
    """
    if not PublicationPages(session).may_see(publication_id, scope_of(visit.visitor)):
        raise Problem(404, "web-not-found")
    return Publications(session).get(publication_id)
