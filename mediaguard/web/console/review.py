"""Review: what is held or finished, face by face."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from mediaguard.core.access import Permission
from mediaguard.core.faces import Box
from mediaguard.errors import InputError, MediaError
from mediaguard.review import Review, Reviewed
from mediaguard.store.items import Publications
from mediaguard.store.scope import scope_of
from mediaguard.texts import say
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.persons import found_by
from mediaguard.web.console.pictures import Drawn
from mediaguard.web.console.review_view import is_in_hand, view
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

PER_PAGE = 25
_BASE = "/console/review"


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/review")
    may_review = guard.may(Permission.REVIEW)
    drawn = Drawn()

    @routes.get("")
    def show_list(
        visit: Annotated[Visit, Depends(may_review)],
        channel: str = "",
        state: str = "",
        page: int = 1,
    ) -> Response:
        everything = state == "all"
        page = min(max(page, 1), 1_000_000)
        found, count = Review(visit.app).page(
            channel=channel or None,
            everything=everything,
            scope=scope_of(visit.visitor),
            offset=(page - 1) * PER_PAGE,
            limit=PER_PAGE,
        )
        asked = {"channel": channel, "state": state}
        return visit.page(
            "review.html",
            found=found,
            count=count,
            channel=channel,
            everything=everything,
            channels=[*visit.app.config.channels],
            page=page,
            pages=max(-(-count // PER_PAGE), 1),
            base=f"{_BASE}?{urlencode({k: v for k, v in asked.items() if v})}&",
            words=reason_words,
            now=visit.app.now(),
            is_in_hand=is_in_hand,
        )

    @routes.get("/{item}")
    def show_item(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        return _item_page(visit, item)

    @routes.get("/{item}/state")
    def state_of_item(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        reviewed = open_item(visit, item)
        in_hand = is_in_hand(reviewed.item, visit.app.now())
        return JSONResponse({"done": not in_hand, "state": reviewed.item.state})

    @routes.get("/{item}/picture")
    def picture(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        return _jpeg(drawn.of(Review(visit.app), _looked_at(visit, item)).poster)

    @routes.get("/{item}/faces/{number}")
    def face(visit: Annotated[Visit, Depends(may_review)], item: str, number: int) -> Response:
        strips = drawn.of(Review(visit.app), _looked_at(visit, item)).strips
        return _jpeg(strips[number - 1] if 1 <= number <= len(strips) else None)

    @routes.post("/{item}/faces/{number}")
    def say_of_face(
        visit: Annotated[Visit, Depends(may_review)], item: str, number: int
    ) -> Response:
        review, seen = Review(visit.app), visit.field("seen")

        def confirm() -> None:
            review.tag(item, number, _subject(visit), seen=seen)

        acts: dict[str, Callable[[], object]] = {
            "confirm": confirm,
            "not": lambda: review.deny(item, number, seen=seen),
            "no-face": lambda: review.veto(item, number, seen=seen),
            "redact": lambda: review.redact(item, number, seen=seen),
        }
        said = visit.field("act")
        if said not in acts:
            raise Problem(422, "web-request")
        return _act(visit, item, acts[said], f"notice-review-{said}", f"face-{number}")

    @routes.post("/{item}/place")
    def add_place(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        def add() -> None:
            try:
                x, y, w, h = (float(visit.field(name).replace(",", ".")) for name in "xywh")
                frame = int(visit.field("frame", "0"))
            except ValueError:
                raise InputError("console-review-no-numbers") from None
            place = (max(frame, 0), Box(x, y, w, h))
            Review(visit.app).redact_place(item, place, seen=visit.field("seen"))

        return _act(visit, item, add, "notice-review-place")

    @routes.post("/{item}/undo")
    def undo(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        mark = visit.field("mark")
        which = int(mark) if mark.isdecimal() and len(mark) < 18 else None
        review, seen = Review(visit.app), visit.field("seen")
        return _act(
            visit, item, lambda: review.undo(item, which, seen=seen), "notice-review-undone"
        )

    @routes.post("/{item}/approve")
    def approve(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        review, seen = Review(visit.app), visit.field("seen")
        return _act(visit, item, lambda: review.let_out(item, seen=seen), "notice-review-approved")

    @routes.post("/{item}/reject")
    def reject(visit: Annotated[Visit, Depends(may_review)], item: str) -> Response:
        return _act(visit, item, lambda: Review(visit.app).reject(item), "notice-review-rejected")

    return routes


def open_item(visit: Visit, item: str) -> Reviewed:
    """An item that the visitor may see.

    Raises:
        Problem: there is none, as far as they are concerned.
    """
    try:
        reviewed = Review(visit.app).item(item)
    except InputError:
        raise Problem(404, "web-not-found") from None
    row = reviewed.item
    if row.id != item or not visit.visitor.sees(row.groups, row.brought_by):
        raise Problem(404, "web-not-found")
    return reviewed


def reason_words(reviewed: Reviewed, language: str) -> str:
    """Why an item is where it is, or what is asked about it."""
    return reviewed.why(language, "console-review-question")


def _act(
    visit: Visit, item: str, act: Callable[[], object], notice: str, place: str = ""
) -> Response:
    """Do something with an item that the visitor may see, and show it again."""
    open_item(visit, item)
    try:
        act()
    except InputError as error:
        return _item_page(visit, item, error)
    # They saw it a moment ago: that they look is on record.
    response = visit.go(f"{_BASE}/{item}", notice, view=_view_of(visit, item))
    if place:
        response.headers["location"] += f"#{place}"
    return response


def _item_page(visit: Visit, item: str, error: InputError | None = None) -> Response:
    reviewed = open_item(visit, item)
    review = Review(visit.app)
    size = None
    try:
        size = review.size(reviewed)
        if not _has_looked(visit, item):
            review.seen(reviewed)
    except (InputError, MediaError):
        pass  # there is nothing to be seen
    before, after = review.neighbours(reviewed, scope_of(visit.visitor))
    return visit.page(
        "review_item.html",
        200 if error is None else 422,
        error=None if error is None else _words(error, visit.visitor.language),
        shown=view(visit.app, visit.visitor, reviewed, size, visit.app.now()),
        view=_view_of(visit, item),
        why=reason_words(reviewed, visit.visitor.language),
        before=before,
        after=after,
        published=_published(visit, item),
    )


def _published(visit: Visit, item: str) -> str | None:
    """The publication that is live of an item, if there is one."""
    with visit.app.database.read() as session:
        live = Publications(session).list(item_id=item, states=["live"])
    return live[-1].id if live else None


def _words(error: InputError, language: str) -> str:
    """In words that fit this page, where those for the command line do not."""
    own = f"console-{error.code}"
    return say(error.code if say(own) == own else own, error.params, language)


def _subject(visit: Visit) -> str:
    """Whom the visitor means: by pseudonym, or by a name that only one has."""
    said = visit.field("subject")
    with visit.app.database.read() as session:
        found = found_by(visit, session, said)
    if len(found) > 1:
        raise InputError("console-review-names", name=said)
    if not found:
        raise InputError("console-review-nobody-such", name=said)
    return found[0]


def _view_of(visit: Visit, item: str) -> str:
    """Proves that a visitor opened the page of an item, and so that it is on record."""
    return visit.app.keyring.digest("review-view", f"{visit.visitor.token}\0{item}")[:32]


def _has_looked(visit: Visit, item: str) -> bool:
    given = visit.request.query_params.get("view") or visit.field("view")
    return given == _view_of(visit, item)


def _looked_at(visit: Visit, item: str) -> Reviewed:
    """An item whose page the visitor opened: nobody sees a face without that being on record."""
    reviewed = open_item(visit, item)
    if not _has_looked(visit, item):
        raise Problem(404, "web-not-found")
    return reviewed


def _jpeg(picture: bytes | None) -> Response:
    if picture is None:
        raise Problem(404, "web-not-found")
    return Response(picture, media_type="image/jpeg")
