"""Inbox: what is brought in, and what becomes of it."""

import json
from typing import Annotated, Any
from urllib.parse import unquote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mediaguard.core.access import Permission
from mediaguard.errors import MediaError
from mediaguard.media.sniffing import HEAD_BYTES, clip_format, sniff
from mediaguard.review import Review
from mediaguard.store.brought import Brought, BroughtItems
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.web.bodies import receive
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.review_view import is_in_hand
from mediaguard.web.console.thumbnails import has_thumbnail
from mediaguard.web.console.visit import Visit
from mediaguard.web.intake import Asked, take_in
from mediaguard.web.problems import Problem, invalid
from mediaguard.web.spool import Spool

PER_PAGE = 20

AT_ONCE = 16
"""So many files come in at the same time; a browser sends two."""

AT_ONCE_ASKED = 50
"""Of so many items the state is told at once."""

_ABOUT_BYTES = 16_000

_OPENED = frozenset({"clip-sound", "photo-encode-failed", "clip-encode-failed"})
"""What holds a file that can be opened, though it is said of photos and clips too."""


class About(BaseModel):
    """What is said of a file. Texts are searched for names, and not kept."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(max_length=100)
    groups: list[str] = Field(default=[], max_length=100)
    caption: str = Field(default="", max_length=4000)
    alt_text: str = Field(default="", max_length=2000)
    title: str = Field(default="", max_length=500)
    file_name: str = Field(default="", max_length=255)


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/inbox")
    may_upload = guard.may(Permission.UPLOAD)
    may_send = guard.may(Permission.UPLOAD, reads_body=True)
    coming: list[Spool] = []

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_upload)], page: int = 1) -> Response:
        page = min(max(page, 1), 1_000_000)
        with visit.app.database.read() as session:
            found, count = BroughtItems(session).by(
                visit.visitor.actor, offset=(page - 1) * PER_PAGE, limit=PER_PAGE
            )
        config = visit.app.config
        return visit.page(
            "inbox.html",
            channels=[*config.channels],
            groups=_groups(visit),
            limits={"photo": config.limits.max_file_mb, "video": config.limits.max_video_mb},
            found=[{**_told(visit, one), "at": one.item.created_at} for one in found],
            count=count,
            page=page,
            pages=max(-(-count // PER_PAGE), 1),
        )

    @routes.post("/files")
    async def bring(request: Request, visit: Annotated[Visit, Depends(may_send)]) -> Response:
        about = _about(request)
        limits = visit.app.config.limits
        limit = max(limits.max_file_mb, limits.max_video_mb) * 1_000_000
        if len(coming) >= AT_ONCE:
            raise Problem(503, "web-busy", retry_after=5)
        spool = Spool(visit.app.work, limit)
        coming.append(spool)
        try:
            await receive(request, limit, spool.write)
            return await run_sync(_take, visit, about, spool)
        finally:
            coming.remove(spool)
            spool.close()

    @routes.get("/state")
    def state(visit: Annotated[Visit, Depends(may_upload)], items: str = "") -> Response:
        wanted = set(items.split(",")[:AT_ONCE_ASKED])
        with visit.app.database.read() as session:
            found = BroughtItems(session).of_ids(wanted)
        sees = visit.visitor.sees
        told = [_told(visit, one) for one in found if sees(one.item.groups, one.item.brought_by)]
        return JSONResponse({"items": told})

    @routes.post("/{item}/remove")
    def remove(visit: Annotated[Visit, Depends(may_upload)], item: str) -> Response:
        with visit.app.database.read() as session:
            row = Items(session).find(item)
        if row is None or row.brought_by != visit.visitor.actor:
            raise Problem(404, "web-not-found")
        Review(visit.app).reject(item)
        return visit.go("/console/inbox", "notice-inbox-removed")

    return routes


def _groups(visit: Visit) -> list[str]:
    """In which subjects may be looked for: all there are, or the visitor's own."""
    with visit.app.database.read() as session:
        names = Ledger(session).group_names()
    visitor = visit.visitor
    return names if visitor.sees_everything else [n for n in names if n in visitor.groups]


def _about(request: Request) -> About:
    """What the header says of the file: JSON, percent-encoded.

    Raises:
        Problem: it cannot be understood.
    """
    header = request.headers.get("x-about", "")
    if len(header) > _ABOUT_BYTES:
        raise Problem(413, "console-inbox-texts-long")
    try:
        return About.model_validate(json.loads(unquote(header, errors="strict")))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise Problem(422, "web-invalid", detail=invalid(found)) from None
    except (ValueError, RecursionError):
        raise Problem(422, "web-request") from None


def _take(visit: Visit, about: About, spool: Spool) -> Response:
    """Keep a file that came in whole."""
    if about.channel not in visit.app.config.channels:
        raise Problem(422, "console-inbox-no-channel")
    if not set(about.groups) <= set(_groups(visit)):
        raise Problem(422, "console-inbox-no-group")
    head = bytes(spool.data[:HEAD_BYTES])
    if clip_format(head) is None:
        try:
            sniff(head)
        except MediaError as error:  # what is no picture at all need not be kept
            problem = Problem(415, error.code)
            problem.params.update(error.params)
            raise problem from None
    texts = about.model_dump(include={"caption", "alt_text", "title", "file_name"})
    asked = Asked(about.channel, about.groups, {k: v for k, v in texts.items() if v})
    taken = take_in(visit.app, asked, lambda: spool.part(0, spool.size))
    with visit.app.database.read() as session:
        [one] = BroughtItems(session).of_ids([taken.item_id])
    named = [
        visit.say(f"console-inbox-named-{word['field']}", word=word["word"]) for word in taken.named
    ]
    told = _told(visit, one)
    if not visit.visitor.sees(one.item.groups, one.item.brought_by):
        # What becomes of it is for whoever brought it first.
        told |= {"done": True, "review": None, "words": ""}
    note = "" if told["mine"] else visit.say("console-inbox-not-first")
    return JSONResponse({**told, "note": note, "named": named}, 202)


def _is_of_the_file(reason: str) -> bool:
    """Whether the file itself cannot be opened, so that nothing but another file helps."""
    return reason.startswith(("photo-", "clip-")) and reason not in _OPENED


def _told(visit: Visit, one: Brought) -> dict[str, Any]:
    """What became of an item, for a script and for the page."""
    item, visitor = one.item, visit.visitor
    in_hand = is_in_hand(item, visit.app.now())
    state = "in-hand" if in_hand else item.state
    live = one.live if state == "released" else None
    if state == "released" and live is None:
        state = "gone"
    words = ""
    if not in_hand and state != "gone" and item.reason is not None:
        words = visit.say(item.reason, **{"name": item.id, **(item.reason_params or {})})
        if _is_of_the_file(item.reason):
            words = f"{words} {visit.say('console-inbox-new-copy')}"
    pictured = live is not None and has_thumbnail(visit.app, live, item.kind)
    may_see = visitor.may(Permission.REVIEW)
    return {
        "id": item.id,
        "done": not in_hand,
        "state": state,
        "label": visit.say(f"console-inbox-{state}"),
        "words": words,
        "kind": visit.say(f"console-media-{item.kind}"),
        "channel": item.channel,
        "review": f"/console/review/{item.id}" if may_see and not in_hand else None,
        "published": f"/console/published/{live.id}" if live is not None else None,
        "picture": f"/console/published/{live.id}/picture" if live and pictured else None,
        "mine": item.brought_by == visitor.actor,
    }
